// A loop from the inside: its reactor, and the list of everything that waits on it.
#pragma once

#include <asio/basic_waitable_timer.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/workers.h"
#include "ready_set.h"

namespace pake::net {

// Asio's timer and its completion token for coroutines, with a loop's executor in place of any_io_executor.
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, asio::io_context::executor_type>;
inline constexpr asio::use_awaitable_t<LoopExecutor> kUseAwaitable;

/// One pending await, listed with its loop so that its deadline, an interruption or the end of the loops can end it.
/// Lives in the awaiting coroutine's frame. (One ordered list and one timer a loop: no await has a timer of its own,
/// and none can end another await than its own.)
class Wait {
 public:
  /// `wake` makes the awaited operation return; it is called at most once, and not from this constructor.
  Wait(Loop::Impl& loop, Deadline deadline, std::function<void()> wake);
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait();

  void end(Error::Kind why);
  [[nodiscard]] bool ended() const noexcept { return ended_.has_value(); }
  /// Why it ended before the operation did; success when it did not.
  [[nodiscard]] Outcome<void> outcome() const;

 private:
  Loop::Impl& loop_;
  std::function<void()> wake_;
  std::optional<Error::Kind> ended_;
  std::optional<std::multimap<Deadline, Wait*>::iterator> listed_;
};

/// The one pool of all loops, once somebody needs it. Threads share it.
class SharedWorkers {
 public:
  /// The pool, started with `threads` of them if it was not.
  Outcome<Workers*> get(std::size_t threads);

 private:
  std::mutex mutex_;
  std::unique_ptr<Workers> workers_;
};

class Loop::Impl {
 public:
  /// `tasks` counts the running tasks of all loops; `all_done` is called, on any loop, when it falls to zero.
  Impl(std::atomic<std::size_t>& tasks, SharedWorkers& workers, std::function<void()> all_done);

  asio::io_context& io() noexcept { return io_; }
  ReadySet& ready_set() noexcept { return ready_set_; }
  SharedWorkers& workers() noexcept { return workers_; }
  void spawn(Awaitable<void> task);
  /// Ends every wait, now and from now on.
  void cancel();
  [[nodiscard]] bool is_cancelled() const noexcept { return cancelled_; }
  /// In place of Loops::run, for who sets Clock himself: goes on with all that can go on now.
  /// @return the next deadline; kNever if nothing waits for time
  Deadline poll();

 private:
  friend class Wait;
  void arm();
  void expire();

  asio::io_context io_{1};  // one thread runs it
  ReadySet ready_set_{io_};
  Timer timer_{io_};
  Deadline armed_ = kNever;
  std::multimap<Deadline, Wait*> waits_;
  bool cancelled_ = false;
  std::atomic<std::size_t>& tasks_;
  SharedWorkers& workers_;
  std::function<void()> all_done_;
};

}  // namespace pake::net
