#include "pake/net/signal.h"

#include <asio/redirect_error.hpp>
#include <utility>

#include "loop_impl.h"
#include "pake/net/coroutine.h"

namespace pake::net {

class Signal::Impl {
 public:
  explicit Impl(Loop& loop) : loop_(loop.impl()), asleep_(loop_.io(), kNever) {}

  void notify() {
    notified_ = true;
    asleep_.cancel();
  }

  Awaitable<Outcome<void>> wait(Deadline deadline) {
    const Wait wait(loop_, deadline, [this] { asleep_.cancel(); });
    asio::error_code woken;
    while (!notified_ && !wait.ended())  // a cancellation may be left over from the wait before
      co_await asleep_.async_wait(asio::redirect_error(kUseAwaitable, woken));
    if (std::exchange(notified_, false)) co_return Outcome<void>();
    co_return wait.outcome();
  }

 private:
  Loop::Impl& loop_;
  Timer asleep_;
  bool notified_ = false;
};

Signal::Signal(Loop& loop) : impl_(std::make_unique<Impl>(loop)) {}
Signal::~Signal() = default;
void Signal::notify() { impl_->notify(); }
Awaitable<Outcome<void>> Signal::wait(Deadline deadline) { return impl_->wait(deadline); }

}  // namespace pake::net
