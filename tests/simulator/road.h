// An honest but awkward network, one way: it delays, splits and merges, and loses nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "draw.h"
#include "pake/base/bytes.h"
#include "pake/channel/channel.h"

namespace pake::channel::simulator {

struct Weather {
  std::chrono::milliseconds latency{0};
  std::chrono::milliseconds jitter{0};
  std::chrono::milliseconds tact{1};  // what arrives within one tact arrives at once
  std::size_t largest_piece = 0;      // 0: nothing is split
  std::size_t slows_after = 0;        // bytes, behind which kSlowRate pass a second; 0: never
};

inline constexpr std::size_t kSlowRate = 4'000;

/// How a transport connection ends, this way.
enum class Ending : std::uint8_t {
  fin,
  rst,      // what was under way is lost
  silence,  // nothing ever comes again, and nobody says so
};

class Road {
 public:
  Road(Weather weather, Draw draw) : weather_(weather), draw_(draw) {}

  void put(Bytes bytes, Instant now);
  /// Nothing put later gets through.
  void end(Ending ending, Instant now);
  /// Whether a sender's system would take more.
  [[nodiscard]] bool has_room() const noexcept { return under_way_ < kRoom; }

  struct Arrival {
    Buffer bytes;
    bool is_end = false;  // behind the bytes
  };
  /// When `arrive` should be called next.
  [[nodiscard]] Instant next_arrival() const noexcept;
  /// What has arrived by now.
  [[nodiscard]] Arrival arrive(Instant now);

  [[nodiscard]] bool is_slow() const noexcept { return weather_.slows_after != 0 && sent_ >= weather_.slows_after; }
  /// Everything that ever arrived.
  [[nodiscard]] Bytes delivered() const noexcept { return delivered_; }

 private:
  static constexpr std::size_t kRoom = 200'000;

  struct Piece {
    Instant at;
    Buffer bytes;  // empty: the end
  };
  [[nodiscard]] Instant arrival_of_what_leaves(Instant now);

  Weather weather_;
  Draw draw_;
  std::deque<Piece> pieces_;
  std::size_t under_way_ = 0;
  std::size_t sent_ = 0;  // bytes that were put on it
  Instant last_arrival_{};
  bool is_ended_ = false;
  Buffer delivered_;
};

}  // namespace pake::channel::simulator
