// One direction of a transport connection: what was sent, what is done to it, what arrives.
#pragma once

#include <optional>
#include <utility>

#include "harm.h"
#include "road.h"

namespace pake::channel::simulator {

class Direction {
 public:
  Direction(Weather weather, Draw draw) : road_(weather, draw) {}

  /// Before anything is sent.
  void lead_past(Meddler meddler) { meddler_.emplace(std::move(meddler)); }

  /// Whole frames.
  void send(Bytes frames, Instant now);
  /// The sender has nothing more to say.
  void close(Instant now) { meddler_->close(now); }

  [[nodiscard]] const Buffer& sent() const noexcept { return sent_; }
  [[nodiscard]] Road& road() noexcept { return road_; }
  [[nodiscard]] const Road& road() const noexcept { return road_; }
  [[nodiscard]] bool has_been_meddled_with() const noexcept { return meddler_->has_meddled(); }

 private:
  Buffer sent_;
  Road road_;
  std::optional<Meddler> meddler_;
};

}  // namespace pake::channel::simulator
