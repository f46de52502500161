#include "resolver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "descriptor.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::net {
namespace {

Outcome<std::vector<Endpoint>> ask(const TcpAddress& address, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* all = nullptr;
  const int error = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &all);
  if (error == EAI_SYSTEM) return std::unexpected(from_errno(errno));
  if (error != 0) return fail(Error::Kind::unknown_host, error);
  std::vector<Endpoint> found;
  for (const addrinfo* one = all; one != nullptr; one = one->ai_next) {
    Endpoint endpoint{.size = one->ai_addrlen};
    std::memcpy(&endpoint.storage, one->ai_addr, one->ai_addrlen);
    found.push_back(endpoint);
  }
  ::freeaddrinfo(all);
  return found;
}

constexpr int kMostThreads = 16;  // that look up at once, those that were left behind included

/// One question. The thread and who waits for it share it; the last of them ends it.
class LookUp {
 public:
  LookUp(TcpAddress address, Purpose purpose) : address_(std::move(address)), purpose_(purpose) {}
  LookUp(const LookUp&) = delete;
  LookUp& operator=(const LookUp&) = delete;
  ~LookUp() {
    if (done_ >= 0) ::close(done_);
  }

  /// @return a descriptor that is readable once there is an answer, the caller's
  static Outcome<int> start(const std::shared_ptr<LookUp>& self) {
    self->done_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->done_ < 0) return std::unexpected(from_errno(errno));
    const int waiting = ::fcntl(self->done_, F_DUPFD_CLOEXEC, 0);
    if (waiting < 0) return std::unexpected(from_errno(errno));
    if (const auto started = run_detached(self); !started) {
      ::close(waiting);
      return std::unexpected(started.error());
    }
    return waiting;
  }

  /// Once there is an answer.
  Outcome<std::vector<Endpoint>> take() {
    is_answered_.wait(false);  // it is true by then; what the thread wrote before comes with it
    return std::move(answer_);
  }

 private:
  static Outcome<void> run_detached(const std::shared_ptr<LookUp>& self) {
    static std::atomic<int> threads = 0;
    if (++threads > kMostThreads) {
      --threads;
      return fail(Error::Kind::exhausted, EAGAIN);
    }
    sigset_t all, before;
    ::sigfillset(&all);  // signals are the loops'
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    Outcome<void> started;
    try {
      std::thread([self] {
        self->run();
        --threads;
      }).detach();
    } catch (const std::system_error& error) {
      --threads;
      started = fail(Error::Kind::exhausted, error.code().value());
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
  }

  void run() {
    answer_ = look_up_blocking(address_, purpose_);
    is_answered_ = true;
    ::eventfd_write(done_, 1);
  }

  TcpAddress address_;
  Purpose purpose_;
  int done_ = -1;
  Outcome<std::vector<Endpoint>> answer_;  // the thread's until `done_` is readable
  std::atomic<bool> is_answered_ = false;
};

}  // namespace

Address to_address(const Endpoint& endpoint) {
  std::array<char, NI_MAXHOST> host{};
  ::getnameinfo(endpoint.generic(), endpoint.size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST);
  std::string text(host.data());
  constexpr std::string_view kMapped = "::ffff:";
  if (text.starts_with(kMapped) && text.find('.') != std::string::npos) text.erase(0, kMapped.size());
  // The port stands at the same place in both families.
  const auto port = ntohs(reinterpret_cast<const sockaddr_in*>(&endpoint.storage)->sin_port);
  return TcpAddress{.host = std::move(text), .port = port};
}

Outcome<std::vector<Endpoint>> look_up_blocking(const TcpAddress& address, Purpose purpose) {
  return ask(address, purpose == Purpose::to_listen ? AI_PASSIVE : 0);
}

Awaitable<Outcome<std::vector<Endpoint>>> look_up(Loop& loop, TcpAddress address, Purpose purpose, Deadline deadline) {
  if (auto numeric = ask(address, AI_NUMERICHOST)) co_return numeric;  // asks nobody
  const auto question = std::make_shared<LookUp>(std::move(address), purpose);
  PAKE_CO_TRY(const int waiting, LookUp::start(question));
  Descriptor done(loop.impl(), waiting);
  PAKE_CO_TRYV(co_await done.ready(Descriptor::Direction::read, deadline));
  co_return question->take();
}

}  // namespace pake::net
