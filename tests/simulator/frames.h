// Frames as an observer sees them: types and lengths are in clear.
#pragma once

#include <vector>

#include "pake/base/bytes.h"
#include "pake/channel/frame.h"

namespace pake::channel::simulator {

/// Whether `bytes` begin with a whole frame.
[[nodiscard]] inline bool is_frame_whole(Bytes bytes) noexcept {
  return bytes.size() >= FrameHeader::kSize &&
         bytes.size() - FrameHeader::kSize >= FrameHeader::decode(bytes.first<FrameHeader::kSize>()).length;
}

/// The frame with which `bytes` begin, taken off them.
[[nodiscard]] inline Bytes take_frame(Bytes& bytes) noexcept {
  const auto frame = bytes.first(FrameHeader::kSize + FrameHeader::decode(bytes.first<FrameHeader::kSize>()).length);
  bytes = bytes.subspan(frame.size());
  return frame;
}

[[nodiscard]] inline FrameType type_of(Bytes frame) noexcept { return static_cast<FrameType>(frame[0]); }
[[nodiscard]] inline bool is_record(Bytes frame) noexcept {
  return type_of(frame) == FrameType::data || type_of(frame) == FrameType::close;
}

/// All of what an honest side has sent.
[[nodiscard]] inline std::vector<Bytes> frames_of(Bytes sent) {
  std::vector<Bytes> frames;
  while (!sent.empty()) frames.push_back(take_frame(sent));
  return frames;
}

}  // namespace pake::channel::simulator
