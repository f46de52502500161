#include "harm.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "draw.h"
#include "frames.h"
#include "pake/channel/messages.h"

namespace pake::channel::simulator {
namespace {

void append(Buffer& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

Buffer random_bytes(Draw& draw, std::size_t size) {
  Buffer bytes(size);
  std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(draw.any()); });
  return bytes;
}

template <class Hello>
Buffer encode(const Hello& hello) {
  auto frame = hello.encode_up_to_pake(hello.pake.size());
  append(frame, hello.pake);
  return frame;
}

constexpr std::array<std::uint8_t, 5> kUnknownExtension = {0x12, 0x34, 0, 1, 7};

Buffer edit(ClientHello hello, std::uint64_t salt) {
  static constexpr std::array<std::uint8_t, 1> kOnlyChaCha = {2};
  Buffer suites = to_buffer(hello.suites);
  switch (salt % 7) {
    case 0:
      hello.aeads = kOnlyChaCha;
      break;
    case 1:
      suites.resize(1);
      break;
    case 2:
      suites.push_back(0x7f);
      break;
    case 3:
      hello.server_name = as_bytes("example.net");
      break;
    case 4:
      hello.name = hello.kind == HandshakeKind::resume ? Bytes() : as_bytes("mallory");
      break;
    case 5:
      hello.extensions = kUnknownExtension;
      break;
    default:
      hello.random[salt / 7 % hello.random.size()] ^= 1;
  }
  hello.suites = suites;
  return encode(hello);
}

Buffer edit(ServerHello hello, std::uint64_t salt) {
  switch (salt % 4) {
    case 0:
      hello.aead = hello.aead == AeadId::aes_256_gcm ? AeadId::chacha20_poly1305 : AeadId::aes_256_gcm;
      break;
    case 1:
      hello.suite ^= 3;  // the other login suite
      break;
    case 2:
      hello.ksf = static_cast<std::uint8_t>(salt / 4 % 6);
      break;
    default:
      hello.extensions = kUnknownExtension;
  }
  return encode(hello);
}

/// A Retry that asks for the second suite of a hello.
Buffer retry_of(Bytes frame) {
  const auto hello = ClientHello::decode(frame.subspan(FrameHeader::kSize));
  return Retry{.suite = hello && hello->suites.size() > 1 ? hello->suites[1] : std::uint8_t{0}}.encode();
}

/// One of the frames that were sent, by the salt; nothing if there are none.
Bytes one_of(Bytes sent, std::uint64_t salt) {
  const auto frames = frames_of(sent);
  return frames.empty() ? Bytes() : frames[salt % frames.size()];
}

Bytes frames_from(std::size_t number, Bytes sent) {
  for (; number != 0 && !sent.empty(); --number) static_cast<void>(take_frame(sent));
  return sent;
}

}  // namespace

std::string_view to_string(Harm::Kind kind) noexcept {
  switch (kind) {
    case Harm::Kind::cut_by_fin:
      return "cut by FIN";
    case Harm::Kind::cut_by_rst:
      return "cut by RST";
    case Harm::Kind::cut_silently:
      return "cut silently";
    case Harm::Kind::flip_bit:
      return "flip a bit";
    case Harm::Kind::lose_bytes:
      return "lose bytes";
    case Harm::Kind::repeat_bytes:
      return "repeat bytes";
    case Harm::Kind::insert_bytes:
      return "insert bytes";
    case Harm::Kind::swap_segments:
      return "swap segments";
    case Harm::Kind::lose_frame:
      return "lose a frame";
    case Harm::Kind::repeat_frame:
      return "repeat a frame";
    case Harm::Kind::delay_frame:
      return "delay a frame behind the next";
    case Harm::Kind::replay_frame:
      return "replay a frame";
    case Harm::Kind::edit_hello:
      return "edit a hello";
    case Harm::Kind::forge_frame:
      return "forge a frame";
    case Harm::Kind::force_retry:
      return "force a Retry";
    case Harm::Kind::reflect_frame:
      return "reflect a frame";
    case Harm::Kind::insert_earlier_frame:
      return "insert a frame of an earlier run";
    case Harm::Kind::replace_by_earlier:
      return "replace a frame by an earlier run's";
    case Harm::Kind::take_over_by_earlier:
      return "go on with an earlier run";
    case Harm::Kind::splice:
      return "splice two runs";
  }
  std::abort();
}

std::string describe(const Harm& harm) {
  return std::string(to_string(harm.kind)) + ", frame " + std::to_string(harm.frame) + " of the " +
         (harm.sender == Role::client ? "client" : "server") + ", byte " + std::to_string(harm.byte) + ", count " +
         std::to_string(harm.count) + ", salt " + std::to_string(harm.salt);
}

Buffer edit_hello(Bytes frame, std::uint64_t salt) {
  const auto body = frame.subspan(FrameHeader::kSize);
  if (type_of(frame) == FrameType::client_hello)
    if (const auto hello = ClientHello::decode(body)) return edit(*hello, salt);
  if (type_of(frame) == FrameType::server_hello)
    if (const auto hello = ServerHello::decode(body)) return edit(*hello, salt);
  if (type_of(frame) == FrameType::retry) return Retry{.suite = static_cast<std::uint8_t>(salt % 4)}.encode();
  return to_buffer(frame);
}

Buffer forge_frame(std::uint64_t salt) {
  Draw draw(salt);
  const auto record = [&](FrameType type, std::size_t size) {
    auto frame = to_buffer(FrameHeader{.type = type, .length = static_cast<std::uint32_t>(size)}.encode());
    append(frame, random_bytes(draw, size));
    return frame;
  };
  switch (draw.below(5)) {
    case 0:
      return Alert{.code = static_cast<AlertCode>(draw.between(1, 6))}.encode();
    case 1:
      return Retry{.suite = static_cast<std::uint8_t>(draw.between(1, 2))}.encode();
    case 2:
      return record(FrameType::close, 17);
    case 3:
      return record(FrameType::client_finish, draw.one_in(2) ? 64 : 32);
    default:
      return record(FrameType::data, draw.between(17, 100));
  }
}

void Meddler::pass(Bytes frame, Instant now) {
  const auto number = number_++;
  if (is_blocked_) return;
  if (is_spliced_) return around_.twin->put(frame, now);
  if (harm_ && harm_->frame == number) return hit(*harm_, frame, now);
  put(frame, now);
  if (delayed_) put(*std::exchange(delayed_, std::nullopt), now);
}

void Meddler::close(Instant now) {
  if (is_blocked_) return;
  if (delayed_) put(*delayed_, now);
  (is_spliced_ ? *around_.twin : around_.road).end(Ending::fin, now);
}

void Meddler::put_instead(Bytes frame, const Buffer& changed, Instant now) {
  has_meddled_ = !std::ranges::equal(frame, changed);
  put(changed, now);
}

void Meddler::cut(Ending ending, Bytes before, Instant now) {
  has_meddled_ = is_blocked_ = true;
  put(before, now);
  around_.road.end(ending, now);
  if (ending != Ending::fin) around_.back.end(ending, now);
}

void Meddler::hit(const Harm& harm, Bytes frame, Instant now) {
  const auto at = harm.byte % frame.size();
  const auto count = std::min(harm.count, frame.size() - at);
  const auto before = frame.first(at), hit = frame.subspan(at, count), behind = frame.subspan(at + count);
  Draw draw(harm.salt);
  Buffer changed;
  const auto put_together = [&](std::initializer_list<Bytes> parts) {
    for (const auto part : parts) append(changed, part);
    put_instead(frame, changed, now);
  };
  switch (harm.kind) {
    case Harm::Kind::cut_by_fin:
      return cut(Ending::fin, before, now);
    case Harm::Kind::cut_by_rst:
      return cut(Ending::rst, before, now);
    case Harm::Kind::cut_silently:
      return cut(Ending::silence, before, now);
    case Harm::Kind::flip_bit:
      changed = to_buffer(frame);
      changed[at] ^= static_cast<std::uint8_t>(1U << harm.salt % 8);
      return put_instead(frame, changed, now);
    case Harm::Kind::lose_bytes:
      return put_together({before, behind});
    case Harm::Kind::repeat_bytes:
      return put_together({before, hit, hit, behind});
    case Harm::Kind::insert_bytes:
      return put_together({before, random_bytes(draw, harm.count), hit, behind});
    case Harm::Kind::swap_segments:
      return put_together({before, behind, hit});
    case Harm::Kind::lose_frame:
      return put_together({});
    case Harm::Kind::repeat_frame:
      return put_together({frame, frame});
    case Harm::Kind::delay_frame:
      has_meddled_ = true;
      delayed_ = to_buffer(frame);
      return;
    case Harm::Kind::replay_frame:
      return put_together({one_of(around_.sent, harm.salt), frame});
    case Harm::Kind::edit_hello:
      return put_instead(frame, edit_hello(frame, harm.salt), now);
    case Harm::Kind::forge_frame:
      return put_together({forge_frame(harm.salt), harm.byte % 2 == 0 ? frame : Bytes()});
    case Harm::Kind::force_retry:
      around_.back.put(retry_of(frame), now);
      return put_together({});
    case Harm::Kind::reflect_frame:
      return put_together({one_of(around_.reflected, harm.salt), harm.byte % 2 == 0 ? frame : Bytes()});
    case Harm::Kind::insert_earlier_frame:
      return put_together({one_of(around_.earlier, harm.salt), frame});
    case Harm::Kind::replace_by_earlier: {
      auto earlier = frames_from(harm.frame, around_.earlier);
      return put_together({earlier.empty() ? Bytes() : take_frame(earlier)});
    }
    case Harm::Kind::take_over_by_earlier:
      is_blocked_ = true;
      return put_together({frames_from(harm.frame, around_.earlier)});
    case Harm::Kind::splice:
      has_meddled_ = is_spliced_ = true;
      return around_.twin->put(frame, now);
  }
}

}  // namespace pake::channel::simulator
