#include "pake/channel/messages.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::channel {
namespace {

constexpr std::string_view kMagic = "pake";
constexpr std::uint16_t kMustUnderstand = 0x8000;

std::unexpected<AlertCode> refuse(AlertCode code) noexcept { return std::unexpected(code); }

// What a Reader found, or `malformed`.
template <class T>
Decoded<T> field(Result<T> read) noexcept {
  if (!read) return refuse(AlertCode::malformed);
  return *std::move(read);
}

Decoded<void> expect(bool well_formed) noexcept {
  if (!well_formed) return refuse(AlertCode::malformed);
  return {};
}

Decoded<void> check_version(std::uint8_t version) noexcept {
  if (version != kVersion) return refuse(AlertCode::unsupported);
  return {};
}

bool is_kind(std::uint8_t byte) noexcept { return byte >= 1 && byte <= 3; }

// 1 to 8 identifiers, none twice.
bool is_offer(Bytes identifiers) noexcept {
  if (identifiers.empty() || identifiers.size() > kMaxOffers) return false;
  for (auto rest = identifiers; !rest.empty(); rest = rest.subspan(1))
    if (contains(rest.subspan(1), rest.front())) return false;
  return true;
}

// docs/wire.md, section 3.4. Version 2 defines none that must be understood: such are refused.
Decoded<void> check_extensions(Bytes extensions) noexcept {
  Reader reader(extensions);
  int last = -1;
  bool understood = true;
  while (!reader.rest().empty()) {
    PAKE_TRY(const auto type, field(reader.u16()));
    PAKE_TRYV(field(reader.take_lp2()));
    PAKE_TRYV(expect(type > last));
    last = type;
    understood = understood && (type & kMustUnderstand) == 0;
  }
  if (!understood) return refuse(AlertCode::unsupported);
  return {};
}

bool is_name_of(HandshakeKind kind, Bytes name) noexcept {
  switch (kind) {
    case HandshakeKind::login:
      return !name.empty();
    case HandshakeKind::code:
      return true;
    case HandshakeKind::resume:
      return name.empty();
  }
  std::abort();
}

bool has_hello_size(Suite suite, Bytes pake) noexcept {
  const auto size = sizes_of(suite).hello;
  if (kind_of(suite) != HandshakeKind::resume) return pake.size() == size;
  Reader reader(pake);
  const auto ticket = reader.take_lp2();
  return ticket && !ticket->empty() && ticket->size() <= kMaxTicketSize && reader.rest().size() == size;
}

// header || body || lp2 without its bytes
Buffer frame_up_to_pake(FrameType type, Bytes fields, std::size_t pake_size) {
  const auto length = fields.size() + 2 + pake_size;
  if (length > kMaxHelloSize) std::abort();
  Writer writer(FrameHeader::kSize + length);
  writer.put(FrameHeader{.type = type, .length = static_cast<std::uint32_t>(length)}.encode());
  return writer.put(fields).u16(static_cast<std::uint16_t>(pake_size)).take();
}

Buffer whole_frame(FrameType type, Bytes body) {
  Writer writer(FrameHeader::kSize + body.size());
  writer.put(FrameHeader{.type = type, .length = static_cast<std::uint32_t>(body.size())}.encode());
  return writer.put(body).take();
}

}  // namespace

PakeSizes sizes_of(Suite suite) noexcept {
  switch (suite) {
    case Suite::opaque_ristretto255:
      return {.hello = 96, .answer = 320, .finish = 64};
    case Suite::opaque_p256:
      return {.hello = 98, .answer = 259, .finish = 32};
    case Suite::cpace_ristretto255:
      return {.hello = 32, .answer = 32 + 64, .finish = 64};
    case Suite::x25519:
      return {.hello = 32 + 64, .answer = 32 + 64, .finish = 64};
  }
  std::abort();
}

HandshakeKind kind_of(Suite suite) noexcept {
  switch (suite) {
    case Suite::opaque_ristretto255:
    case Suite::opaque_p256:
      return HandshakeKind::login;
    case Suite::cpace_ristretto255:
      return HandshakeKind::code;
    case Suite::x25519:
      return HandshakeKind::resume;
  }
  std::abort();
}

std::optional<Suite> find_suite(HandshakeKind kind, std::uint8_t byte) noexcept {
  for (const auto suite : {Suite::opaque_ristretto255, Suite::opaque_p256, Suite::cpace_ristretto255, Suite::x25519})
    if (std::to_underlying(suite) == byte && kind_of(suite) == kind) return suite;
  return std::nullopt;
}

std::string_view to_string(AlertCode code) noexcept {
  switch (code) {
    case AlertCode::refused:
      return "refused";
    case AlertCode::throttled:
      return "throttled";
    case AlertCode::unavailable:
      return "unavailable";
    case AlertCode::unknown_server:
      return "unknown_server";
    case AlertCode::unsupported:
      return "unsupported";
    case AlertCode::malformed:
      return "malformed";
  }
  std::abort();
}

bool contains(Bytes offer, std::uint8_t identifier) noexcept {
  return std::ranges::find(offer, identifier) != offer.end();
}

Buffer Alert::encode() const {
  return whole_frame(FrameType::alert, Writer(kSize).u8(std::to_underlying(code)).u32(retry_after).bytes());
}

Decoded<Alert> Alert::decode(Bytes body) noexcept {
  Reader reader(body);
  PAKE_TRY(const auto code, field(reader.u8()));
  PAKE_TRY(const auto retry_after, field(reader.u32()));
  PAKE_TRYV(expect(reader.rest().empty()));
  const Alert alert{.code = static_cast<AlertCode>(code), .retry_after = retry_after};
  PAKE_TRYV(expect(alert.code >= AlertCode::refused && alert.code <= AlertCode::malformed));
  PAKE_TRYV(expect(alert.code == AlertCode::throttled || retry_after == 0));
  return alert;
}

Buffer ClientHello::encode_up_to_pake(std::size_t pake_size) const {
  Writer fields(kMaxHelloSize);
  fields.put(as_bytes(kMagic)).u8(kVersion).u8(std::to_underlying(kind)).put(random);
  fields.put_lp1(aeads).put_lp1(suites).put_lp1(server_name).put_lp1(name).put_lp2(extensions);
  return frame_up_to_pake(FrameType::client_hello, fields.bytes(), pake_size);
}

Decoded<ClientHello> ClientHello::decode(Bytes body) {
  Reader reader(body);
  PAKE_TRY(const auto magic, field(reader.take(kMagic.size())));
  PAKE_TRYV(expect(as_text(magic) == kMagic));
  PAKE_TRY(const auto version, field(reader.u8()));
  PAKE_TRYV(check_version(version));
  PAKE_TRY(const auto kind, field(reader.u8()));
  if (!is_kind(kind)) return refuse(AlertCode::unknown_server);

  ClientHello hello{.kind = static_cast<HandshakeKind>(kind)};
  PAKE_TRY(const auto random, field(reader.take(kRandomSize)));
  std::ranges::copy(random, hello.random.begin());
  PAKE_TRY(hello.aeads, field(reader.take_lp1()));
  PAKE_TRY(hello.suites, field(reader.take_lp1()));
  PAKE_TRY(hello.server_name, field(reader.take_lp1()));
  PAKE_TRY(hello.name, field(reader.take_lp1()));
  PAKE_TRY(hello.extensions, field(reader.take_lp2()));
  PAKE_TRY(hello.pake, field(reader.take_lp2()));
  PAKE_TRYV(expect(reader.rest().empty()));

  PAKE_TRYV(expect(is_offer(hello.aeads) && contains(hello.aeads, std::to_underlying(AeadId::chacha20_poly1305))));
  PAKE_TRYV(expect(is_offer(hello.suites) && is_name_of(hello.kind, hello.name)));
  PAKE_TRYV(check_extensions(hello.extensions));
  const auto suite = find_suite(hello.kind, hello.suites[0]);
  if (!suite) return refuse(AlertCode::unsupported);
  PAKE_TRYV(expect(has_hello_size(*suite, hello.pake)));
  return hello;
}

Buffer Retry::encode() const { return whole_frame(FrameType::retry, Writer(kSize).u8(kVersion).u8(suite).bytes()); }

Decoded<Retry> Retry::decode(Bytes body) noexcept {
  Reader reader(body);
  PAKE_TRY(const auto version, field(reader.u8()));
  PAKE_TRYV(check_version(version));
  PAKE_TRY(const auto suite, field(reader.u8()));
  PAKE_TRYV(expect(reader.rest().empty()));
  return Retry{.suite = suite};
}

Buffer ServerHello::encode_up_to_pake(std::size_t pake_size) const {
  Writer fields(8 + extensions.size());
  fields.u8(kVersion).u8(suite).u8(std::to_underlying(aead)).u8(ksf).put_lp2(extensions);
  return frame_up_to_pake(FrameType::server_hello, fields.bytes(), pake_size);
}

Decoded<ServerHello> ServerHello::decode(Bytes body) {
  Reader reader(body);
  PAKE_TRY(const auto version, field(reader.u8()));
  PAKE_TRYV(check_version(version));
  ServerHello hello;
  PAKE_TRY(hello.suite, field(reader.u8()));
  PAKE_TRY(const auto aead, field(reader.u8()));
  hello.aead = static_cast<AeadId>(aead);
  PAKE_TRYV(expect(hello.aead == AeadId::aes_256_gcm || hello.aead == AeadId::chacha20_poly1305));
  PAKE_TRY(hello.ksf, field(reader.u8()));
  PAKE_TRY(hello.extensions, field(reader.take_lp2()));
  PAKE_TRY(hello.pake, field(reader.take_lp2()));
  PAKE_TRYV(expect(reader.rest().empty()));
  PAKE_TRYV(check_extensions(hello.extensions));
  return hello;
}

Buffer encode_client_finish(Bytes pake) { return whole_frame(FrameType::client_finish, pake); }

}  // namespace pake::channel
