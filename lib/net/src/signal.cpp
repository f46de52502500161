#include "pake/net/signal.h"

#include <asio/redirect_error.hpp>
#include <utility>

#include "loop_impl.h"
#include "pake/net/coroutine.h"

namespace pake::net {

class Signal::Sleeper : public Timer {
 public:
  explicit Sleeper(Loop::Impl& loop) : Timer(loop.io(), kNever) {}
};

void Signal::notify() {
  notified_ = true;
  if (asleep_ != nullptr) asleep_->cancel();
}

Awaitable<Outcome<void>> Signal::wait(Deadline deadline) {
  Sleeper sleeper(loop_.impl());
  const Wait wait(loop_.impl(), deadline, [&] { sleeper.cancel(); });
  if (!notified_ && !wait.ended()) {
    asleep_ = &sleeper;
    asio::error_code woken;
    co_await sleeper.async_wait(asio::redirect_error(kUseAwaitable, woken));
    asleep_ = nullptr;
  }
  if (std::exchange(notified_, false)) co_return Outcome<void>();
  co_return wait.outcome();
}

}  // namespace pake::net
