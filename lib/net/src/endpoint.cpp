#include "pake/net/endpoint.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "descriptor.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "socket_stream.h"

namespace pake::net {
namespace {

using asio::ip::tcp;

constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

Error from_lookup(const asio::error_code& error) {
  if (error == asio::error::host_not_found_try_again) return {.kind = Error::Kind::unknown_host, .system = EAI_AGAIN};
  if (error == asio::error::host_not_found) return {.kind = Error::Kind::unknown_host, .system = EAI_NONAME};
  return {.kind = Error::Kind::unknown_host, .system = EAI_FAIL};
}

Address to_address(const tcp::endpoint& endpoint) {
  return TcpAddress{.host = endpoint.address().to_string(), .port = endpoint.port()};
}

sockaddr_un to_sockaddr(const UnixAddress& address) {
  sockaddr_un where{.sun_family = AF_UNIX, .sun_path = {}};
  address.path.copy(where.sun_path, kMaxUnixPath);
  return where;
}

const sockaddr* generic(const sockaddr_un& where) { return reinterpret_cast<const sockaddr*>(&where); }

Awaitable<Outcome<std::unique_ptr<Stream>>> connect_to(Loop& loop, const sockaddr* where, socklen_t size, Address peer,
                                                       Deadline deadline) {
  const int socket = ::socket(where->sa_family, kSocketFlags, 0);
  if (socket < 0) co_return std::unexpected(from_errno(errno));
  auto stream = std::make_unique<SocketStream>(loop, socket, std::move(peer));
  PAKE_CO_TRYV(co_await stream->connect(where, size, deadline));
  co_return std::move(stream);
}

using Found = tcp::resolver::results_type;

// Only a name is looked up, on a thread of Asio's; what is numeric already needs neither.
Awaitable<Outcome<Found>> look_up(Loop& loop, const TcpAddress& address) {
  asio::error_code failed;
  const auto numeric = asio::ip::make_address(address.host, failed);
  if (!failed) co_return Found::create(tcp::endpoint(numeric, address.port), address.host, "");
  tcp::resolver resolver(loop.impl().io());
  auto found = co_await resolver.async_resolve(address.host, std::to_string(address.port),
                                               asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return std::unexpected(from_lookup(failed));
  co_return found;
}

Awaitable<Outcome<std::unique_ptr<Stream>>> connect_tcp(Loop& loop, TcpAddress address, Deadline deadline) {
  PAKE_CO_TRY(const auto found, co_await look_up(loop, address));
  Outcome<std::unique_ptr<Stream>> outcome = fail(Error::Kind::unknown_host, EAI_NONAME);
  auto left = static_cast<Clock::rep>(found.size());
  for (const auto& entry : found) {
    const auto endpoint = entry.endpoint();
    const auto now = Clock::now();
    const auto share = deadline == kNever ? kNever : now + (deadline - now) / left--;
    outcome = co_await connect_to(loop, endpoint.data(), static_cast<socklen_t>(endpoint.size()), to_address(endpoint),
                                  share);
    if (outcome || outcome.error() == Error::Kind::cancelled) break;
  }
  co_return outcome;
}

}  // namespace

Awaitable<Outcome<std::unique_ptr<Stream>>> connect(Loop& loop, Address address, Deadline deadline) {
  if (const auto* tcp = std::get_if<TcpAddress>(&address)) co_return co_await connect_tcp(loop, *tcp, deadline);
  const auto where = to_sockaddr(std::get<UnixAddress>(address));
  co_return co_await connect_to(loop, generic(where), sizeof where, address, deadline);
}

std::unique_ptr<Stream> adopt(Loop& loop, int socket, Address peer) {
  return std::make_unique<SocketStream>(loop, socket, std::move(peer));
}

namespace {

/// A file descriptor until somebody else owns it.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// The path of a unix socket that we listen on. It goes with us, unless somebody has put something else there.
class BoundPath {
 public:
  explicit BoundPath(std::string path) : path_(std::move(path)), exists_(::lstat(path_.c_str(), &status_) == 0) {}
  BoundPath(const BoundPath&) = delete;
  BoundPath& operator=(const BoundPath&) = delete;
  ~BoundPath() {
    struct stat now{};
    if (exists_ && ::lstat(path_.c_str(), &now) == 0 && now.st_dev == status_.st_dev && now.st_ino == status_.st_ino)
      ::unlink(path_.c_str());
  }

 private:
  std::string path_;
  struct stat status_{};
  bool exists_;
};

Outcome<Socket> bind_and_listen(const sockaddr* where, socklen_t size) {
  Socket socket(::socket(where->sa_family, kSocketFlags, 0));
  const int on = 1;
  if (socket.get() < 0) return std::unexpected(from_errno(errno));
  if (where->sa_family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (where->sa_family != AF_UNIX) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), where, size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0)
    return std::unexpected(from_errno(errno));
  return socket;
}

// A path on which nobody listens any more: what a killed listener leaves behind.
bool is_left_behind(const sockaddr_un& where) {
  struct stat status{};
  if (::lstat(where.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const Socket probe(::socket(AF_UNIX, kSocketFlags, 0));
  return ::connect(probe.get(), generic(where), sizeof where) != 0 && errno == ECONNREFUSED;
}

Outcome<Socket> listen_on(const UnixAddress& address) {
  const auto where = to_sockaddr(address);
  auto socket = bind_and_listen(generic(where), sizeof where);
  if (socket || socket.error() != Error::Kind::in_use || !is_left_behind(where)) return socket;
  ::unlink(where.sun_path);
  return bind_and_listen(generic(where), sizeof where);
}

Outcome<Socket> listen_on(Loop& loop, const TcpAddress& address) {
  tcp::resolver resolver(loop.impl().io());
  asio::error_code failed;
  const auto found = resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, failed);
  if (failed) return std::unexpected(from_lookup(failed));
  Outcome<Socket> socket = fail(Error::Kind::unknown_host, EAI_NONAME);
  for (auto entry = found.begin(); entry != found.end() && !socket; ++entry) {
    const auto endpoint = entry->endpoint();
    socket = bind_and_listen(endpoint.data(), static_cast<socklen_t>(endpoint.size()));
  }
  return socket;
}

Address bound_address(int socket) {
  tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  ::getsockname(socket, endpoint.data(), &size);
  endpoint.resize(size);
  return to_address(endpoint);
}

}  // namespace

class Listener::Impl {
 public:
  Impl(Loop& loop, Socket socket, Address address)
      : descriptor_(loop.impl(), socket.release()), address_(std::move(address)) {
    if (const auto* local = std::get_if<UnixAddress>(&address_)) path_.emplace(local->path);
  }

  Awaitable<Outcome<std::unique_ptr<Stream>>> accept(Loop& home, Deadline deadline) {
    for (;;) {
      PAKE_CO_TRYV(descriptor_.may_go_on());
      tcp::endpoint from;
      auto size = static_cast<socklen_t>(from.capacity());
      const int socket = ::accept4(descriptor_.fd(), from.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket >= 0) {
        if (path_) co_return adopt(home, socket, address_);
        from.resize(size);
        co_return adopt(home, socket, to_address(from));
      }
      const auto error = from_errno(errno);
      if (error == Error::Kind::exhausted) co_return std::unexpected(error);
      // Other errors are those of a connection that died in the queue (accept(2)): the next one, please.
      if (error.system == EAGAIN) PAKE_CO_TRYV(co_await descriptor_.ready(Descriptor::Direction::wait_read, deadline));
    }
  }

  void interrupt() { descriptor_.interrupt(); }
  [[nodiscard]] const Address& address() const noexcept { return address_; }

 private:
  Descriptor descriptor_;
  Address address_;
  std::optional<BoundPath> path_;
};

Outcome<Listener> Listener::open(Loop& loop, const Address& address) {
  if (const auto* tcp = std::get_if<TcpAddress>(&address)) {
    PAKE_TRY(auto socket, listen_on(loop, *tcp));
    auto bound = bound_address(socket.get());
    return Listener(std::make_unique<Impl>(loop, std::move(socket), std::move(bound)));
  }
  PAKE_TRY(auto socket, listen_on(std::get<UnixAddress>(address)));
  return Listener(std::make_unique<Impl>(loop, std::move(socket), address));
}

Listener::Listener(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() = default;

Awaitable<Outcome<std::unique_ptr<Stream>>> Listener::accept(Loop& home, Deadline deadline) {
  return impl_->accept(home, deadline);
}

void Listener::interrupt() { impl_->interrupt(); }
const Address& Listener::address() const noexcept { return impl_->address(); }

}  // namespace pake::net
