#include "process/blocking_file.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "pake/net/coroutine.h"
#include "pake/net/signal.h"
#include "process/stoppable.h"

namespace pake::cli {

class BlockingFile::Impl {
 public:
  Impl(net::Loop& loop, int fd)
      : loop_(loop), fd_(fd), outcome_(std::make_shared<Outcome>(loop)), thread_([this] { run(); }) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { stop(); }

  // Runs `work` on the thread; 0 or the errno it returns.
  net::Awaitable<int> on_thread(std::function<int()> work) {
    {
      const std::scoped_lock lock(mutex_);
      work_ = std::move(work);
    }
    changed_.notify_one();
    if (!co_await outcome_->done.wait(net::kNever)) {
      stop();  // before the caller's bytes go
      co_return ECANCELED;
    }
    co_return outcome_->result;
  }

  void interrupt() const noexcept { stoppable_.stop(); }

  int read(MutableBytes into, std::size_t& count) const {
    while (stoppable_.wait(fd_, POLLIN)) {
      const auto got = ::read(fd_, into.data(), into.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got < 0) return errno;
      count = static_cast<std::size_t>(got);
      return 0;
    }
    return errno;
  }

  int write(Bytes bytes) const {
    while (!bytes.empty()) {
      if (!stoppable_.wait(fd_, POLLOUT)) return errno;
      const auto count = write_some(bytes);
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (count < 0) return errno;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return 0;
  }

 private:
  // What fits now. A terminal, or a pipe of an older kernel, cannot be asked that: what is ready takes PIPE_BUF bytes
  // without blocking, and promises no more.
  ssize_t write_some(Bytes bytes) const {
    if (is_file_) return ::write(fd_, bytes.data(), bytes.size());
    const iovec all{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
    const auto count = ::pwritev2(fd_, &all, 1, -1, RWF_NOWAIT);
    if (count >= 0 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS)) return count;
    return ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
  }

  static bool is_file(int fd) {
    struct stat facts{};
    return ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
  }

  /// Touched on the loop alone; what the thread still posts when this object has gone reaches nobody.
  struct Outcome {
    explicit Outcome(net::Loop& loop) : done(loop) {}
    net::Signal done;
    int result = 0;
  };

  void run() {
    for (;;) {
      std::function<int()> work;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return work_ || is_stopped_; });
        if (is_stopped_) return;
        work = std::exchange(work_, {});
      }
      const int result = work();
      loop_.post(
          std::weak_ptr(outcome_),
          [](Outcome& outcome, int returned) {
            outcome.result = returned;
            outcome.done.notify();
          },
          result);
    }
  }

  void stop() {
    stoppable_.stop();
    {
      const std::scoped_lock lock(mutex_);
      is_stopped_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  net::Loop& loop_;
  int fd_;
  bool is_file_ = is_file(fd_);  // which makes nobody wait for long
  Stoppable stoppable_;
  std::shared_ptr<Outcome> outcome_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<int()> work_;
  bool is_stopped_ = false;
  std::jthread thread_;
};

BlockingFile::BlockingFile(net::Loop& loop, int fd) : impl_(std::make_unique<Impl>(loop, fd)) {}
BlockingFile::~BlockingFile() = default;
void BlockingFile::interrupt() noexcept { impl_->interrupt(); }

net::Awaitable<std::expected<std::size_t, int>> BlockingFile::read_some(MutableBytes into) {
  std::size_t count = 0;
  const int error = co_await impl_->on_thread([this, into, &count] { return impl_->read(into, count); });
  if (error != 0) co_return std::unexpected(error);
  co_return count;
}

net::Awaitable<std::expected<void, int>> BlockingFile::write_all(Bytes bytes, Around around) {
  const auto write = [this, bytes] { return impl_->write(bytes); };
  const int error = co_await impl_->on_thread([&] { return around ? around(write) : write(); });
  if (error != 0) co_return std::unexpected(error);
  co_return std::expected<void, int>();
}

}  // namespace pake::cli
