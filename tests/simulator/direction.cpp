#include "direction.h"

#include "frames.h"

namespace pake::channel::simulator {

void Direction::send(Bytes frames, Instant now) {
  while (!frames.empty()) {
    const auto frame = take_frame(frames);
    meddler_->pass(frame, now);
    sent_.insert(sent_.end(), frame.begin(), frame.end());
  }
}

}  // namespace pake::channel::simulator
