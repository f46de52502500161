#include "socket_stream.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::net {
namespace {

constexpr std::size_t kCallsBetweenTurns = 32;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

Transport prepare(int socket) noexcept {
  const int on = 1;
  const bool is_tcp = ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
  return is_tcp ? Transport::tcp : Transport::other;
}

SocketStream::SocketStream(Loop& loop, int socket, Transport transport, Address peer)
    : loop_(loop), descriptor_(loop.impl(), socket), transport_(transport), peer_(std::move(peer)) {}

Awaitable<Outcome<void>> SocketStream::connect(const sockaddr* where, socklen_t size, Deadline deadline) {
  constexpr std::chrono::milliseconds kPause{10};
  while (::connect(descriptor_.fd(), where, size) != 0) {
    if (errno == EINPROGRESS || errno == EINTR) {
      if (::connect(descriptor_.fd(), where, size) == 0) break;  // within this machine all has been said by now
      if (errno != EALREADY) co_return std::unexpected(from_errno(errno));
      PAKE_CO_TRYV(co_await descriptor_.ready(Descriptor::Direction::write, deadline));
      int error = 0;
      socklen_t error_size = sizeof error;
      if (::getsockopt(descriptor_.fd(), SOL_SOCKET, SO_ERROR, &error, &error_size) != 0) error = errno;
      if (error != 0) co_return std::unexpected(from_errno(error));
      co_return Outcome<void>();
    }
    if (!would_block(errno)) co_return std::unexpected(from_errno(errno));
    if (Clock::now() >= deadline) co_return fail(Error::Kind::timed_out);  // a unix socket's queue is full
    PAKE_CO_TRYV(co_await loop_.sleep_until(std::min(after(kPause), deadline)));
  }
  co_return Outcome<void>();
}

bool SocketStream::is_due() noexcept { return ++calls_ % kCallsBetweenTurns == 0; }

Awaitable<Outcome<void>> SocketStream::let_others_go_on() {
  co_await loop_.yield();
  if (loop_.impl().is_cancelled()) co_return fail(Error::Kind::cancelled);
  co_return Outcome<void>();
}

Awaitable<Outcome<std::size_t>> SocketStream::read_some(MutableBytes into, Deadline deadline) {
  if (is_due()) {
    PAKE_CO_TRYV(co_await let_others_go_on());
    PAKE_CO_TRYV(descriptor_.may_go_on());
  }
  if (std::exchange(is_drained_, false))
    PAKE_CO_TRYV(co_await descriptor_.ready(Descriptor::Direction::read, deadline));
  for (;;) {
    if (is_reset_) co_return fail(Error::Kind::reset);
    descriptor_.begin_reading();
    const auto count = ::recv(descriptor_.fd(), into.data(), into.size(), 0);
    if (count > 0) {
      is_drained_ = transport_ == Transport::tcp && static_cast<std::size_t>(count) < into.size() &&
                    descriptor_.has_bytes_alone();
      co_return static_cast<std::size_t>(count);
    }
    if (count == 0) co_return fail(Error::Kind::closed);
    if (errno == EINTR) continue;
    if (!would_block(errno)) co_return std::unexpected(from_errno(errno));
    PAKE_CO_TRYV(co_await descriptor_.ready(Descriptor::Direction::read, deadline));
  }
}

Awaitable<Outcome<std::size_t>> SocketStream::write_some(Bytes bytes, Deadline deadline) {
  if (is_due()) PAKE_CO_TRYV(co_await let_others_go_on());
  for (;;) {
    if (is_reset_) co_return fail(Error::Kind::reset);
    const auto count = ::send(descriptor_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) co_return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (!would_block(errno)) co_return std::unexpected(from_errno(errno));
    PAKE_CO_TRYV(co_await descriptor_.ready(Descriptor::Direction::write, deadline));
  }
}

Awaitable<Outcome<void>> SocketStream::write_all(Bytes bytes, Deadline deadline) {
  if (is_due()) PAKE_CO_TRYV(co_await let_others_go_on());
  while (!bytes.empty()) {
    if (is_reset_) co_return fail(Error::Kind::reset);
    const auto count = ::send(descriptor_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block(errno)) co_return std::unexpected(from_errno(errno));
    PAKE_CO_TRYV(co_await descriptor_.ready(Descriptor::Direction::write, deadline));
  }
  co_return Outcome<void>();
}

// There is nothing to wait on for an acknowledgement, so we look, ever less often.
Awaitable<Outcome<void>> SocketStream::wait_acknowledged(Deadline deadline) {
  constexpr std::chrono::milliseconds kLongestPause{20};
  std::chrono::milliseconds pause{1};
  if (std::holds_alternative<UnixAddress>(peer_)) co_return Outcome<void>();
  for (;;) {
    int outstanding = 0;
    if (::ioctl(descriptor_.fd(), SIOCOUTQ, &outstanding) != 0) co_return std::unexpected(from_errno(errno));
    if (outstanding == 0) co_return Outcome<void>();
    std::uint8_t next = 0;  // a reset leaves the bytes unacknowledged for ever
    if (::recv(descriptor_.fd(), &next, sizeof next, MSG_PEEK) < 0 && !would_block(errno))
      co_return std::unexpected(from_errno(errno));
    if (Clock::now() >= deadline) co_return fail(Error::Kind::timed_out);
    PAKE_CO_TRYV(co_await loop_.sleep_until(std::min(after(pause), deadline)));
    pause = std::min(2 * pause, kLongestPause);
  }
}

bool SocketStream::has_peer_ended() noexcept {
  pollfd state{.fd = descriptor_.fd(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void SocketStream::shutdown_write() noexcept { static_cast<void>(::shutdown(descriptor_.fd(), SHUT_WR)); }

// connect(2): AF_UNSPEC dissolves the association. TCP then sends an RST and wakes whoever waits.
void SocketStream::reset(channel::ResetCode) {
  if (std::exchange(is_reset_, true)) return;
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (std::holds_alternative<UnixAddress>(peer_) || ::connect(descriptor_.fd(), &nobody, sizeof nobody) != 0)
    static_cast<void>(::shutdown(descriptor_.fd(), SHUT_RDWR));
}

}  // namespace pake::net
