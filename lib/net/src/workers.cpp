#include "pake/net/workers.h"

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "pake/net/coroutine.h"
#include "pake/net/loops.h"
#include "pake/net/signal.h"

namespace pake::net {

class Workers::Impl {
 public:
  explicit Impl(std::size_t queued) : most_queued_(queued) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    {
      const std::scoped_lock lock(mutex_);
      is_stopped_ = true;
    }
    changed_.notify_all();
  }

  Outcome<void> start(std::size_t threads) {
    threads_.reserve(threads);
    try {
      while (threads_.size() < threads) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      return fail(Error::Kind::exhausted, error.code().value());
    }
    return {};
  }

  Awaitable<Outcome<void>> run(Loop& loop, std::function<void()> work, Deadline deadline) {
    const auto task = std::make_shared<Task>(loop, std::move(work));
    if (!enqueue(task)) co_return fail(Error::Kind::exhausted, EAGAIN);
    const auto woken = co_await task->done.wait(deadline);
    if (!woken && withdraw(task)) co_return woken;
    wait_for_end(*task);
    co_return Outcome<void>();
  }

 private:
  struct Task {
    Task(Loop& of, std::function<void()> what) : loop(of), work(std::move(what)), done(of) {}
    Loop& loop;
    std::function<void()> work;
    Signal done;
    bool is_over = false;  // under the mutex: the thread has no more to do with it
  };

  bool enqueue(const std::shared_ptr<Task>& task) {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() + running_ >= most_queued_ + threads_.size()) return false;
    queue_.push_back(task);
    changed_.notify_one();
    return true;
  }

  // False when it runs, or has run.
  bool withdraw(const std::shared_ptr<Task>& task) {
    const std::scoped_lock lock(mutex_);
    return std::erase(queue_, task) != 0;
  }

  // Without giving way: its caller is told to, and what it works on is the caller's.
  void wait_for_end(const Task& task) {
    std::unique_lock lock(mutex_);
    over_.wait(lock, [&task] { return task.is_over; });
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !queue_.empty() || is_stopped_; });
      if (queue_.empty()) return;
      auto task = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
      lock.unlock();
      task->work();
      task->loop.post(std::weak_ptr(task), [](Task& finished) { finished.done.notify(); });
      lock.lock();
      --running_;
      task->is_over = true;  // only now may the loop go
      task.reset();          // never the last one, which belongs to the loop: who waits needs the lock
      over_.notify_all();
    }
  }

  std::size_t most_queued_;
  std::mutex mutex_;
  std::condition_variable changed_, over_;
  std::deque<std::shared_ptr<Task>> queue_;
  std::size_t running_ = 0;
  bool is_stopped_ = false;
  std::vector<std::jthread> threads_;  // joined first of all
};

Outcome<std::unique_ptr<Workers>> Workers::start(std::size_t threads, std::size_t queued) {
  auto impl = std::make_unique<Impl>(queued);
  if (const auto started = impl->start(threads); !started) return std::unexpected(started.error());
  return std::unique_ptr<Workers>(new Workers(std::move(impl)));
}

Workers::Workers(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Workers::~Workers() = default;
Awaitable<Outcome<void>> Workers::run(Loop& loop, std::function<void()> work, Deadline deadline) {
  return impl_->run(loop, std::move(work), deadline);
}

}  // namespace pake::net
