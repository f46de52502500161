// Where two strangers meet: docs/wire.md, section 15. Who waits is led to who names the same selector; what they say to
// each other passes through and is not read.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "bridge.h"
#include "pake/base/rng.h"
#include "pake/channel/meeting.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "pake/server/config.h"
#include "pake/store/bucket.h"

namespace pake::server {

/// The chair of one who waits. Of his loop.
struct Seat {
  explicit Seat(net::Stream& of) : stream(of) {}
  net::Stream& stream;                 // interrupted when somebody has come, and when the server drains
  std::unique_ptr<net::Stream> other;  // who came
};

/// Any thread. It outlives whoever meets.
class Meetings {
 public:
  using Instant = net::Clock::time_point;

  static constexpr std::chrono::minutes kWait{10};
  static constexpr std::size_t kWaitingOfASource = 4;
  static constexpr store::BucketRule kFailedJoins{.burst = 10, .refill_interval = std::chrono::minutes(6)};
  /// How long a side whose visitor did not know the code may take to come back.
  static constexpr std::chrono::seconds kResume{30};
  /// Sources whose failed joins are remembered.
  static constexpr std::size_t kSources = 4096;

  struct Now {
    Instant instant;
    store::Time wall;
  };
  struct Waiting {
    std::uint32_t selector = 0;
    channel::MeetingToken token{};
    Instant until;
  };

  /// A place under a fresh selector, or again under one's own: until `leave`.
  [[nodiscard]] std::variant<Waiting, channel::Alert> wait(const channel::Meet& meet, const std::string& source,
                                                           const std::shared_ptr<Seat>& seat, net::Loop& loop,
                                                           const Limits& limits, Now now, Rng& rng);
  /// Who waited has found the one he waited for: when they are cut, both may come back, for as long as somebody may
  /// wait and `meet.tries` times.
  [[nodiscard]] std::variant<Waiting, channel::Alert> keep(const channel::Meet& meet);
  /// The other side's end of a bridge to who waits.
  [[nodiscard]] std::variant<std::unique_ptr<net::Stream>, channel::Alert> join(std::uint32_t selector,
                                                                                const std::string& source,
                                                                                net::Loop& loop, const Limits& limits,
                                                                                Now now);
  /// He waits no more, or what he said to his visitor is over.
  void leave(std::uint32_t selector, const std::shared_ptr<Seat>& seat, Instant now);

  /// Cuts what has lasted for too long, and forgets whose time is over.
  void sweep(const Limits& limits, Instant now);
  /// Nobody waits any more, and nobody comes; what has begun goes on.
  void drain();

  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] std::size_t talking() const;

 private:
  struct Meeting {
    channel::MeetingToken token{};
    std::string source;
    std::uint8_t tries = 0;  // that are left
    Instant until;           // nobody waits longer
    std::weak_ptr<Seat> seat;
    net::Loop* loop = nullptr;
    bool is_waiting = false;
    bool is_kept = false;           // both may come back
    std::optional<BridgeCut> talk;  // with who came last
    Instant talks_since;
  };

  void forget_old(Instant now);
  // Of a source's meetings in which nobody is, the one that ends first gives way to a new one.
  void make_room(const std::string& source);
  // Whose time is over, for who comes.
  [[nodiscard]] static bool is_over(const Meeting& meeting, Instant now);
  [[nodiscard]] std::uint32_t draw(Rng& rng) const;
  [[nodiscard]] std::optional<channel::Alert> over_the_top(const std::string& source, const Limits& limits,
                                                           Instant now) const;
  void charge_failed_join(const std::string& source, store::Time now);

  mutable std::mutex mutex_;
  std::map<std::uint32_t, Meeting> by_selector_;
  std::map<std::string, store::BucketRow> failed_joins_;
  bool is_draining_ = false;
};

/// Serves one who has come with a Meet, to the end.
/// @param source  whose bounds are counted
[[nodiscard]] net::Awaitable<void> serve_meeting(Meetings& meetings, net::Loop& loop,
                                                 std::unique_ptr<net::Stream> stream, channel::Meet meet,
                                                 std::string source, Limits limits);
/// The Meet with which a stream begins. If none comes, the other side has been told so.
[[nodiscard]] net::Awaitable<std::optional<channel::Meet>> read_meet(net::Stream& stream, net::Deadline deadline);

}  // namespace pake::server
