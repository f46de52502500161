#include "pake/channel/frame.h"

#include <algorithm>

namespace pake::channel {

std::array<std::uint8_t, FrameHeader::kSize> FrameHeader::encode() const noexcept {
  return {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(length >> 16U),
          static_cast<std::uint8_t>(length >> 8U), static_cast<std::uint8_t>(length)};
}

FrameHeader FrameHeader::decode(std::span<const std::uint8_t, kSize> bytes) noexcept {
  return {.type = static_cast<FrameType>(bytes[0]),
          .length = (std::uint32_t{bytes[1]} << 16U) | (std::uint32_t{bytes[2]} << 8U) | bytes[3]};
}

Result<std::optional<Frame>> leading_frame(Bytes bytes, std::span<const AwaitedFrame> awaited) noexcept {
  if (bytes.empty()) return std::nullopt;
  const auto frame = std::ranges::find(awaited, static_cast<FrameType>(bytes[0]), &AwaitedFrame::type);
  if (frame == awaited.end()) return fail(Errc::malformed);
  if (bytes.size() < FrameHeader::kSize) return std::nullopt;
  const auto length = FrameHeader::decode(bytes.first<FrameHeader::kSize>()).length;
  if (length < frame->min_body || length > frame->max_body) return fail(Errc::malformed);
  if (bytes.size() - FrameHeader::kSize < length) return std::nullopt;
  const auto whole = bytes.first(FrameHeader::kSize + length);
  return Frame{.type = frame->type, .body = whole.subspan(FrameHeader::kSize), .whole = whole};
}

}  // namespace pake::channel
