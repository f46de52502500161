// Private to the room: what every run needs of a stream, be it a PAKE's machine or a handshake of the channel. Bytes
// until a message is whole, and a thread for a job.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>

#include "loop_impl.h"
#include "pake/base/bytes.h"
#include "pake/internal/try.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "pake/proto/machine.h"

namespace pake::net {

/// How bytes are waited for.
struct Patience {
  Deadline deadline;          // of the whole message
  Clock::duration silence{};  // the pause that ends a message if Incoming::silence_ends
  std::size_t piece;          // what is read at once
};

/// `Run` is a Machine, a ClientHandshake or a ServerHandshake. Run, loop and stream outlive it.
template <class Run>
class Exchange {
 public:
  Exchange(Run& run, Loop& loop, Stream& stream) : run_(run), loop_(loop), stream_(stream) {}

  /// Until the run has consumed a message. Buffers at most Incoming::at_most bytes and one piece.
  Awaitable<Outcome<void>> receive(Patience patience) {
    auto end = Arrived::more_may_come;
    for (;;) {
      const Incoming incoming = run_.incoming();
      if (arrived_.size() >= fewest(incoming)) {
        const auto consumed = hand_in(end);
        if (!consumed) co_return fail(Error::Kind::run_failed);
        if (*consumed > 0) {
          arrived_ = Buffer(arrived_.begin() + static_cast<std::ptrdiff_t>(*consumed), arrived_.end());
          co_return Outcome<void>();
        }
        if (arrived_.size() >= incoming.at_most) co_return fail(Error::Kind::too_long);
      }
      const bool silence_counts = incoming.silence_ends && !arrived_.empty() && end == Arrived::more_may_come;
      const Deadline silence = silence_counts ? after(patience.silence) : kNever;
      const auto before = arrived_.size();
      arrived_.resize(before + patience.piece);
      const auto count =
          co_await stream_.read_some(MutableBytes(arrived_).subspan(before), std::min(silence, patience.deadline));
      arrived_.resize(before + count.value_or(0));
      const bool paused = !count && ((count.error() == Error::Kind::timed_out && silence < patience.deadline) ||
                                     (count.error() == Error::Kind::closed && silence_counts));
      if (!count && !paused) co_return std::unexpected(count.error());
      end = paused ? Arrived::silence : Arrived::more_may_come;
    }
  }

  /// Runs the run's job on a thread of the pool that all loops share. A job cannot be stopped: if the wait is
  /// cancelled, the end of one that has begun is waited for. Error::exhausted if the system has no thread, or too many
  /// wait.
  Awaitable<Outcome<void>> run_job() {
    auto job = run_.take_job();
    if (!job) co_return fail(Error::Kind::run_failed);
    PAKE_CO_TRYV(co_await run_elsewhere(**job));
    if (!run_.resume(std::move(*job))) co_return fail(Error::Kind::run_failed);
    co_return Outcome<void>();
  }

  /// What has come behind the last message.
  Buffer take_arrived() { return std::move(arrived_); }

 private:
  static constexpr bool kIsMachine = std::derived_from<Run, Machine>;

  // A frame of the channel can be refused by its first byte.
  static std::size_t fewest(const Incoming& incoming) {
    return kIsMachine ? std::max<std::size_t>(incoming.at_least, 1) : 1;
  }

  Result<std::size_t> hand_in(Arrived end) {
    if constexpr (kIsMachine)
      return run_.receive(arrived_, end);
    else
      return run_.receive(arrived_);
  }

  Awaitable<Outcome<void>> run_elsewhere(Job& job) {
    PAKE_CO_TRYV(co_await loop_.on_worker([&job] { job.run(); }));
    if (loop_.impl().is_cancelled()) co_return fail(Error::Kind::cancelled);
    co_return Outcome<void>();
  }

  Run& run_;
  Loop& loop_;
  Stream& stream_;
  Buffer arrived_;
};

}  // namespace pake::net
