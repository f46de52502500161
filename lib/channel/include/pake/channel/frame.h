// What everything on the wire stands in, hello or record: docs/wire.md, section 3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

enum class FrameType : std::uint8_t {  // on the wire: never renumber
  client_hello = 0x01,
  retry = 0x02,
  server_hello = 0x03,
  client_finish = 0x04,
  alert = 0x05,
  meet = 0x06,
  met = 0x07,
  data = 0x10,
  close = 0x11,
};

/// type (1 byte) || length of the body (3 bytes).
struct FrameHeader {
  static constexpr std::size_t kSize = 4;

  FrameType type;
  std::uint32_t length;  // at most 2^24 - 1

  [[nodiscard]] std::array<std::uint8_t, kSize> encode() const noexcept;
  /// Every four bytes are a header, though `type` may be none of the enumerators.
  [[nodiscard]] static FrameHeader decode(std::span<const std::uint8_t, kSize> bytes) noexcept;
};

/// A frame that a state awaits, with the bounds of its body.
struct AwaitedFrame {
  FrameType type;
  std::size_t min_body;
  std::size_t max_body;
};

/// Views of the bytes it was found in.
struct Frame {
  FrameType type;
  Bytes body;
  Bytes whole;  // header || body
};

/// The frame with which `bytes` begin; nothing while it is not whole. Errc::malformed as soon as its header, or the
/// first byte of it, is of no frame awaited.
[[nodiscard]] Result<std::optional<Frame>> leading_frame(Bytes bytes, std::span<const AwaitedFrame> awaited) noexcept;

}  // namespace pake::channel

PAKE_EXPORT_END
