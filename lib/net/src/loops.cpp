#include "pake/net/loops.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <exception>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "loop_impl.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::net {

Wait::Wait(Loop::Impl& loop, Deadline deadline, std::function<void()> wake) : loop_(loop), wake_(std::move(wake)) {
  if (loop_.cancelled_) {
    ended_ = Error::Kind::cancelled;
    return;
  }
  listed_ = loop_.waits_.emplace(deadline, this);
  loop_.arm();
}

Wait::~Wait() {
  if (listed_) loop_.waits_.erase(*listed_);
}

void Wait::end(Error::Kind why) {
  if (ended_) return;
  ended_ = why;
  if (listed_) loop_.waits_.erase(*listed_);
  listed_.reset();
  wake_();
}

Outcome<void> Wait::outcome() const {
  if (ended_) return fail(*ended_);
  return {};
}

Outcome<Workers*> SharedWorkers::get(std::size_t threads) {
  constexpr std::size_t kQueued = 4096;  // beyond that, a peer has waited too long before its turn comes
  const std::scoped_lock lock(mutex_);
  if (!workers_) {
    PAKE_TRY(workers_, Workers::start(threads, kQueued));
  }
  return workers_.get();
}

Loop::Impl::Impl(std::atomic<std::size_t>& tasks, SharedWorkers& workers, std::function<void()> all_done)
    : tasks_(tasks), workers_(workers), all_done_(std::move(all_done)) {}

void Loop::Impl::spawn(Awaitable<void> task) {
  ++tasks_;
  asio::co_spawn(io_, std::move(task), [this](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);  // out of io_context::run(), which nothing catches
    if (--tasks_ == 0) all_done_();
  });
}

void Loop::Impl::cancel() {
  cancelled_ = true;
  while (!waits_.empty()) waits_.begin()->second->end(Error::Kind::cancelled);
}

// The timer stands at the earliest deadline or before it; it is not set back when that wait ends early.
void Loop::Impl::arm() {
  if (waits_.empty() || waits_.begin()->first >= armed_) return;
  armed_ = waits_.begin()->first;
  timer_.expires_at(armed_);
  timer_.async_wait([this](const asio::error_code& error) {
    if (error) return;  // set anew
    armed_ = kNever;
    expire();
    arm();
  });
}

void Loop::Impl::expire() {
  const auto now = Clock::now();
  while (!waits_.empty() && waits_.begin()->first <= now) waits_.begin()->second->end(Error::Kind::timed_out);
}

Deadline Loop::Impl::poll() {
  armed_ = Deadline::min();  // the timer goes by the system's clock
  do {
    io_.restart();
    expire();
  } while (io_.poll() > 0);
  return waits_.empty() ? kNever : waits_.begin()->first;
}

Loop::Loop(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Loop::Loop(Loop&&) noexcept = default;
Loop::~Loop() = default;

void Loop::spawn(Awaitable<void> task) { impl_->spawn(std::move(task)); }

void Loop::post_work(std::move_only_function<void()> work) { asio::post(impl_->io(), std::move(work)); }

Awaitable<Outcome<void>> Loop::sleep_until(Deadline deadline) {
  Timer sleeping(impl_->io(), kNever);
  const Wait wait(*impl_, deadline, [&] { sleeping.cancel(); });
  asio::error_code woken;
  if (!wait.ended()) co_await sleeping.async_wait(asio::redirect_error(kUseAwaitable, woken));
  const auto outcome = wait.outcome();
  if (!outcome && outcome.error() == Error::Kind::timed_out) co_return Outcome<void>();
  co_return outcome;
}

Awaitable<Outcome<void>> Loop::on_worker(std::function<void()> work, Deadline deadline) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  PAKE_CO_TRY(auto* const workers, impl_->workers().get(cores));
  co_return co_await workers->run(*this, std::move(work), deadline);
}

Awaitable<void> Loop::yield() { co_await asio::post(impl_->io(), kUseAwaitable); }

class Loops::Impl {
 public:
  explicit Impl(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i)
      loops_.emplace_back(std::make_unique<Loop::Impl>(tasks_, workers_, [this] { stop(); }));
  }

  Loop& main() noexcept { return loops_.front(); }
  Loop& next() noexcept { return loops_[turn_++ % loops_.size()]; }

  void on_signal(const std::vector<int>& signals, std::function<void(int)> taken) {
    signals_.emplace(main().impl().io());
    for (const int signal : signals) signals_->add(signal);
    signals_->async_wait([this, taken = std::move(taken)](const asio::error_code& error, int signal) {
      if (error) return;
      signals_->clear();
      taken(signal);
    });
  }

  void on_every_signal(const std::vector<int>& signals, std::function<void(int)> taken) {
    auto& repeated = repeated_.emplace_back(main().impl().io(), std::move(taken));
    for (const int signal : signals) repeated.signals.add(signal);
    repeated.wait();
  }

  Outcome<void> start_workers(std::size_t threads) {
    PAKE_TRYV(workers_.get(threads));
    return {};
  }

  void run(Awaitable<void> task) {
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> open;
    open.reserve(loops_.size());
    for (auto& loop : loops_) open.emplace_back(loop.impl().io().get_executor());
    main().spawn(std::move(task));
    std::vector<std::jthread> others;
    others.reserve(loops_.size() - 1);
    for (std::size_t i = 1; i < loops_.size(); ++i)
      others.emplace_back([&loop = loops_[i]]() noexcept { loop.impl().io().run(); });
    [this]() noexcept { main().impl().io().run(); }();
  }

  void cancel() {
    for (auto& loop : loops_) asio::post(loop.impl().io(), [&loop] { loop.impl().cancel(); });
  }

 private:
  // No task is left, so nothing that still waits (timers, signals) has anybody to tell.
  void stop() {
    for (auto& loop : loops_) loop.impl().io().stop();
  }

  /// Signals that are told each time.
  struct Repeated {
    Repeated(asio::io_context& io, std::function<void(int)> handler) : signals(io), taken(std::move(handler)) {}
    void wait() {
      signals.async_wait([this](const asio::error_code& error, int signal) {
        if (error) return;
        taken(signal);
        wait();
      });
    }
    asio::signal_set signals;
    std::function<void(int)> taken;
  };

  std::atomic<std::size_t> tasks_ = 0;
  SharedWorkers workers_;  // outlives the loops
  std::vector<Loop> loops_;
  std::optional<asio::signal_set> signals_;
  std::list<Repeated> repeated_;
  std::size_t turn_ = 0;
};

Loops::Loops(std::size_t threads) : impl_(std::make_unique<Impl>(threads)) {}
Loops::~Loops() = default;
Loop& Loops::main() noexcept { return impl_->main(); }
Loop& Loops::next() noexcept { return impl_->next(); }
void Loops::on_signal(const std::vector<int>& signals, std::function<void(int)> taken) {
  impl_->on_signal(signals, std::move(taken));
}
void Loops::on_every_signal(const std::vector<int>& signals, std::function<void(int)> taken) {
  impl_->on_every_signal(signals, std::move(taken));
}
Outcome<void> Loops::start_workers(std::size_t threads) { return impl_->start_workers(threads); }
void Loops::run(Awaitable<void> task) { impl_->run(std::move(task)); }
void Loops::cancel() { impl_->cancel(); }

}  // namespace pake::net
