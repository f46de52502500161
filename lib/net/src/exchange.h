// Private to the room: what every run needs of a stream, be it a PAKE's machine or a handshake of the channel. Bytes
// until a message is whole, and a thread for a job.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/internal/try.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/signal.h"
#include "pake/net/stream.h"
#include "pake/proto/machine.h"

namespace pake::net {

/// How bytes are waited for.
struct Patience {
  Deadline deadline;          // of the whole message
  Clock::duration silence{};  // the pause that ends a message where Incoming::silence_ends
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
      const auto more = co_await read_more(std::min(silence, patience.deadline), patience.piece);
      const bool paused = !more && ((more.error() == Error::Kind::timed_out && silence < patience.deadline) ||
                                    (more.error() == Error::Kind::closed && silence_counts));
      if (!more && !paused) co_return more;
      end = paused ? Arrived::silence : Arrived::more_may_come;
    }
  }

  /// Runs the run's job on a thread of its own. A job cannot be stopped: if the wait is cancelled, its end is waited
  /// for.
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

  Awaitable<Outcome<void>> read_more(Deadline deadline, std::size_t piece) {
    const auto before = arrived_.size();
    arrived_.resize(before + piece);
    const auto count = co_await stream_.read_some(MutableBytes(arrived_).subspan(before), deadline);
    arrived_.resize(before + count.value_or(0));
    if (!count) co_return std::unexpected(count.error());
    co_return Outcome<void>();
  }

  Awaitable<Outcome<void>> run_elsewhere(Job& job) {
    const auto done = std::make_shared<Signal>(loop_);  // what is posted may run after this has returned
    const std::jthread worker([loop = &loop_, &job, done] {
      job.run();
      loop->post(done, [](Signal& signal) { signal.notify(); });
    });
    co_return co_await done->wait(kNever);
  }

  Run& run_;
  Loop& loop_;
  Stream& stream_;
  Buffer arrived_;
};

}  // namespace pake::net
