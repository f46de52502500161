#include "trace/channel_fields.h"

#include <cstddef>
#include <string>
#include <utility>

#include "pake/channel/frame.h"

namespace pake::cli::trace {
namespace {

using channel::FrameHeader;
using channel::FrameType;

constexpr std::size_t kKeySize = 32;    // of X25519 and ristretto255; random values too
constexpr std::size_t kTagSize = 16;    // of both AEADs
constexpr std::size_t kPointSize = 33;  // of P-256, compressed

constexpr std::uint8_t kLogin = 1, kCode = 2, kResume = 3;                                 // docs/wire.md, section 3.1
constexpr std::uint8_t kRistretto255 = 0x01, kP256 = 0x02, kCpace = 0x11, kX25519 = 0x21;  // section 3.5

/// Sizes of OPAQUE's parts in a suite: RFC 9807, section 4.
struct OpaqueSizes {
  std::size_t element, key, mac;
};
OpaqueSizes sizes_of(std::uint8_t suite) {
  if (suite == kP256) return {.element = kPointSize, .key = kPointSize, .mac = 32};
  return {.element = kKeySize, .key = kKeySize, .mac = 64};
}

/// Cuts a frame into fields, one after the other.
class Knife {
 public:
  explicit Knife(Bytes frame) : frame_(frame) {}

  /// False when fewer bytes are left: then nothing is cut.
  bool cut(std::string name, std::size_t size, Kind kind = Kind::open) {
    if (size > left()) return false;
    if (size > 0) fields_.push_back({.name = std::move(name), .at = at_, .size = size, .kind = kind});
    at_ += size;
    return true;
  }
  // With its length of one byte, or of two, in front.
  bool cut_lp1(std::string name, Kind kind = Kind::open) {
    if (left() < 1) return false;
    const std::size_t size = frame_[at_];
    return size < left() && cut(name + " length", 1) && cut(std::move(name), size, kind);
  }
  bool cut_lp2(std::string name, Kind kind = Kind::open) {
    const auto size = length_of_two();
    return size && *size + 2 <= left() && cut(name + " length", 2) && cut(std::move(name), *size, kind);
  }

  [[nodiscard]] std::size_t left() const { return frame_.size() - at_; }
  /// The byte so far ahead; 0 behind the end.
  [[nodiscard]] std::uint8_t peek(std::size_t ahead = 0) const { return ahead < left() ? frame_[at_ + ahead] : 0; }

  std::vector<Field> finish() {
    cut("rest", left());
    return std::move(fields_);
  }

 private:
  [[nodiscard]] std::optional<std::size_t> length_of_two() const {
    if (left() < 2) return std::nullopt;
    return static_cast<std::size_t>(frame_[at_]) << 8U | frame_[at_ + 1];
  }

  Bytes frame_;
  std::size_t at_ = 0;
  std::vector<Field> fields_;
};

bool cut_ke1(Knife& knife, std::uint8_t suite) {
  const auto sizes = sizes_of(suite);
  return knife.cut("blinded_message", sizes.element) && knife.cut("client_nonce", kKeySize) &&
         knife.cut("client_public_keyshare", sizes.key);
}

// The masked response is under a key made of the password and of the server's OPRF key.
bool cut_ke2(Knife& knife, std::uint8_t suite) {
  const auto sizes = sizes_of(suite);
  return knife.cut("evaluated_message", sizes.element) && knife.cut("masking_nonce", kKeySize) &&
         knife.cut("masked_response", sizes.key + kKeySize + sizes.mac, Kind::password) &&
         knife.cut("server_nonce", kKeySize) && knife.cut("server_public_keyshare", sizes.key) &&
         knife.cut("server_mac", sizes.mac, Kind::session);
}

bool cut_client_hello(Knife& knife) {
  if (!knife.cut("magic", 4) || !knife.cut("version", 1)) return false;
  const auto kind = knife.peek();
  if (!knife.cut("kind", 1) || !knife.cut("random", kKeySize) || !knife.cut_lp1("aeads")) return false;
  const auto suite = knife.peek(1);  // the first one, behind the length
  if (!knife.cut_lp1("suites") || !knife.cut_lp1("server_name", Kind::clear) || !knife.cut_lp1("name", Kind::clear) ||
      !knife.cut_lp2("extensions") || !knife.cut("pake length", 2))
    return false;
  if (kind == kLogin) return cut_ke1(knife, suite);
  if (kind == kCode) return knife.cut("Ya", kKeySize);
  return kind == kResume && knife.cut_lp2("ticket") && knife.cut("share", kKeySize) &&
         knife.cut("binder", 64, Kind::session);
}

bool cut_server_hello(Knife& knife) {
  const auto suite = knife.peek(1);
  if (!knife.cut("version", 1) || !knife.cut("suite", 1) || !knife.cut("aead", 1) || !knife.cut("ksf", 1) ||
      !knife.cut_lp2("extensions") || !knife.cut("pake length", 2))
    return false;
  if (suite == kRistretto255 || suite == kP256) return cut_ke2(knife, suite);
  if (suite == kCpace) return knife.cut("Yb", kKeySize) && knife.cut("Tb", 64, Kind::session);
  return suite == kX25519 && knife.cut("share", kKeySize) && knife.cut("server_proof", 64, Kind::session);
}

std::string name_of_finish(std::optional<std::uint8_t> suite) {
  if (suite == kCpace) return "Ta";
  return suite == kX25519 ? "client_proof" : "client_mac";
}

bool cut_meet(Knife& knife) {
  return knife.cut("magic", 4) && knife.cut("version", 1) && knife.cut("action", 1) && knife.cut("tries", 1) &&
         knife.cut("selector", 4) && knife.cut("token", 16);
}

bool cut_met(Knife& knife) {
  return knife.cut("version", 1) && knife.cut("event", 1) && knife.cut("selector", 4) && knife.cut("token", 16);
}

bool cut_record(Knife& knife) {
  return knife.left() > kTagSize && knife.cut("ciphertext", knife.left() - kTagSize, Kind::session) &&
         knife.cut("tag", kTagSize, Kind::session);
}

}  // namespace

std::string_view name_of_frame(Bytes frame) noexcept {
  using enum FrameType;
  if (frame.size() < FrameHeader::kSize) return "unknown";
  switch (FrameHeader::decode(frame.first<FrameHeader::kSize>()).type) {
    case client_hello:
      return "client_hello";
    case retry:
      return "retry";
    case server_hello:
      return "server_hello";
    case client_finish:
      return "client_finish";
    case alert:
      return "alert";
    case meet:
      return "meet";
    case met:
      return "met";
    case data:
      return "data";
    case close:
      return "close";
  }
  return "unknown";
}

std::vector<Field> ChannelFields::of(Bytes frame) {
  using enum FrameType;
  Knife knife(frame);
  if (!knife.cut("header", FrameHeader::kSize)) return knife.finish();
  switch (FrameHeader::decode(frame.first<FrameHeader::kSize>()).type) {
    case client_hello:
      cut_client_hello(knife);
      break;
    case retry:
      if (knife.cut("version", 1)) knife.cut("suite", 1);
      break;
    case server_hello:
      suite_ = knife.peek(1);
      cut_server_hello(knife);
      break;
    case client_finish:
      knife.cut(name_of_finish(suite_), knife.left(), Kind::session);
      break;
    case alert:
      if (knife.cut("code", 1)) knife.cut("retry_after", 4);
      break;
    case meet:
      cut_meet(knife);
      break;
    case met:
      cut_met(knife);
      break;
    case data:
    case close:
      cut_record(knife);
      break;
  }
  return knife.finish();
}

}  // namespace pake::cli::trace
