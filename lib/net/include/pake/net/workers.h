// Threads for what would hold up a loop: key stretching, questions to a holder of keys, calls that block.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "pake/base/export.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

class Loop;

/// A bounded pool of threads with a bounded queue. Any loop may use it; it outlives them.
class Workers {
 public:
  /// @param threads  at least 1: as many pieces of work as run at once
  /// @param queued   so many more may wait for a thread
  /// @return Error::exhausted if the system has no thread to give
  [[nodiscard]] static Outcome<std::unique_ptr<Workers>> start(std::size_t threads, std::size_t queued);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  /// Joins the threads. Nothing may be running or queued.
  ~Workers();

  /// Runs `work` on a thread and returns when it has ended. What is being run cannot be stopped: whatever the deadline
  /// says, and if the loops are cancelled, its end is waited for, and counts as success if it had begun in time.
  /// @return Error::exhausted if the queue is full; timed_out or cancelled if it had not begun: `work` has not run
  [[nodiscard]] Awaitable<Outcome<void>> run(Loop& loop, std::function<void()> work, Deadline deadline = kNever);

 private:
  class PAKE_HIDDEN Impl;
  explicit Workers(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pake::net

PAKE_EXPORT_END
