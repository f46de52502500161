// How one coroutine wakes another one of the same loop.
#pragma once

#include "pake/base/export.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// Belongs to one loop and is touched by its thread alone. One coroutine waits at a time.
class Signal {
 public:
  explicit Signal(Loop& loop) noexcept : loop_(loop) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() = default;

  /// Wakes the coroutine that waits; if none does, the next one to wait goes on at once.
  void notify();

  /// Waits until `notify`.
  /// @return timed_out, cancelled
  [[nodiscard]] Awaitable<Outcome<void>> wait(Deadline deadline);

 private:
  class PAKE_HIDDEN Sleeper;

  Loop& loop_;
  Sleeper* asleep_ = nullptr;  // in the frame of the coroutine that waits
  bool notified_ = false;
};

}  // namespace pake::net

PAKE_EXPORT_END
