// The loops on which coroutines run: a few threads for thousands of connections.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>

#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"

namespace pake::net {

/// One thread's loop. What is made on it (streams, listeners) belongs to it and is touched by its thread alone.
class Loop {
 public:
  class Impl;

  explicit Loop(std::unique_ptr<Impl> impl) noexcept;
  Loop(Loop&&) noexcept;
  Loop& operator=(Loop&&) = delete;
  ~Loop();

  /// Starts a coroutine on this loop's thread; `Loops::run` returns only when it has ended. Any thread may call it. An
  /// exception out of the task ends the process.
  void spawn(Awaitable<void> task);

  /// Runs `work` on this loop's thread, soon. Any thread may call it, as long as `Loops::run` has not returned.
  void post(std::function<void()> work);

  /// Waits until `deadline`.
  /// @return Error::cancelled when the loops are cancelled before
  [[nodiscard]] Awaitable<Outcome<void>> sleep_until(Deadline deadline);

  /// Lets everything that could go on by now go on first.
  [[nodiscard]] Awaitable<void> yield();

  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
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
  void on_signal(std::initializer_list<int> signals, std::function<void(int)> taken);

  /// Runs `task` on the main loop, and whatever it spawns on any; returns when the last of them has ended. Once.
  void run(Awaitable<void> task);

  /// Ends every pending wait of every loop with Error::cancelled, and each later one at once. Any thread.
  void cancel();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pake::net
