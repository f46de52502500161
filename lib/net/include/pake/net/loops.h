// The loops on which coroutines run: a few threads for thousands of connections.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "pake/base/export.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// Work that may cross from a thread to a loop: a lambda that captures nothing, and arguments that point to nothing.
/// (What was captured by address may have gone when the work runs: the loop goes on as long as any task does.)
template <class Work, class... Arguments>
concept Postable = std::is_empty_v<Work> && (!std::is_pointer_v<Arguments> && ...);

/// One thread's loop. What is made on it (streams, listeners) belongs to it and is touched by its thread alone.
class Loop {
 public:
  class PAKE_HIDDEN Impl;

  explicit Loop(std::unique_ptr<Impl> impl) noexcept;
  Loop(Loop&&) noexcept;
  Loop& operator=(Loop&&) = delete;
  ~Loop();

  /// Starts a coroutine on this loop's thread; `Loops::run` returns only when it has ended. Any thread may call it. An
  /// exception out of the task ends the process.
  void spawn(Awaitable<void> task);

  /// Runs `work(*target, arguments...)` on this loop's thread, soon, unless `target` has gone by then. Any thread may
  /// call it, as long as `Loops::run` has not returned. No thread but this loop's ever holds `target` alive by it.
  template <class Target, class Work, class... Arguments>
    requires Postable<Work, Arguments...>
  void post(std::weak_ptr<Target> target, Work work, Arguments... arguments) {
    post_work([target = std::move(target), work, ... arguments = std::move(arguments)]() mutable {
      if (const auto alive = target.lock()) work(*alive, std::move(arguments)...);
    });
  }
  /// The same with a target that lives at least until then.
  template <class Target, class Work, class... Arguments>
    requires Postable<Work, Arguments...>
  void post(std::shared_ptr<Target> target, Work work, Arguments... arguments) {
    post_work([target = std::move(target), work, ... arguments = std::move(arguments)]() mutable {
      work(*target, std::move(arguments)...);
    });
  }

  /// Waits until `deadline`.
  /// @return Error::cancelled when the loops are cancelled before
  [[nodiscard]] Awaitable<Outcome<void>> sleep_until(Deadline deadline);

  /// Lets everything that could go on by now go on first.
  [[nodiscard]] Awaitable<void> yield();

  /// Workers::run on the pool that all loops share; started here, a thread a core, if `Loops::start_workers` was not.
  [[nodiscard]] Awaitable<Outcome<void>> on_worker(std::function<void()> work, Deadline deadline = kNever);

  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
  void post_work(std::move_only_function<void()> work);

  std::unique_ptr<Impl> impl_;
};

/// All loops of a program.
class Loops {
 public:
  /// @param threads  at least 1: as many as shall compute at once; the caller of `run` is one of them
  explicit Loops(std::size_t threads);
  Loops(const Loops&) = delete;
  Loops& operator=(const Loops&) = delete;
  ~Loops();

  /// The loop of the thread that calls `run`.
  [[nodiscard]] Loop& main() noexcept;
  /// One loop after the other, so that load spreads. Called from one thread.
  [[nodiscard]] Loop& next() noexcept;

  /// Takes the signals out of the system's hands, from now on: the first one of them calls `taken(signal)` on the main
  /// loop and gives them all back, so that a second one acts as the system does.
  void on_signal(const std::vector<int>& signals, std::function<void(int)> taken);

  /// Takes the signals out of the system's hands for good: each one of them calls `taken(signal)` on the main loop. May
  /// be called for several sets, each with other signals.
  void on_every_signal(const std::vector<int>& signals, std::function<void(int)> taken);

  /// Starts the threads of `Loop::on_worker`, if a program wants them before anything else happens.
  /// @return Error::exhausted if the system has no thread to give
  [[nodiscard]] Outcome<void> start_workers(std::size_t threads);

  /// Runs `task` on the main loop, and whatever it spawns on any; returns when the last of them has ended. Once.
  void run(Awaitable<void> task);

  /// Ends every pending wait of every loop with Error::cancelled, and each later one at once. Any thread.
  void cancel();

 private:
  class PAKE_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pake::net

PAKE_EXPORT_END
