#include "pake/net/endpoint.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "descriptor.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"
#include "resolver.h"
#include "socket_stream.h"

namespace pake::net {
namespace {

constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

sockaddr_un to_sockaddr(const UnixAddress& address) {
  sockaddr_un where{.sun_family = AF_UNIX, .sun_path = {}};
  address.path.copy(where.sun_path, kMaxUnixPath);
  return where;
}

// The system refuses a connection to such a path like one to a socket on which nobody listens.
bool is_no_socket(const sockaddr_un& where) {
  struct stat status{};
  return ::stat(where.sun_path, &status) == 0 && !S_ISSOCK(status.st_mode);
}

const sockaddr* generic(const sockaddr_un& where) { return reinterpret_cast<const sockaddr*>(&where); }

Outcome<std::unique_ptr<SocketStream>> make_socket(Loop& loop, int family, Address peer) {
  const int socket = ::socket(family, kSocketFlags, 0);
  if (socket < 0) return std::unexpected(from_errno(errno));
  return std::make_unique<SocketStream>(loop, socket, prepare(socket), std::move(peer));
}

/// RFC 8305, Sections 4 and 5: the addresses of a name, families taking turns, each tried 250 ms after the one before
/// or as soon as all before have failed; the first that connects wins.
class Race : public std::enable_shared_from_this<Race> {
 public:
  explicit Race(Loop& loop) : loop_(loop) {}

  Awaitable<Outcome<std::unique_ptr<Stream>>> run(std::vector<Endpoint> endpoints, Deadline deadline) {
    constexpr std::chrono::milliseconds kAttemptDelay{250};
    for (std::size_t next = 0; !winner_;) {
      if (next < endpoints.size() && (open_ == 0 || Clock::now() >= next_attempt_)) {
        ++open_;
        next_attempt_ = after(kAttemptDelay);
        loop_.spawn(attempt(shared_from_this(), endpoints[next++], deadline));
      }
      if (next == endpoints.size() && open_ == 0) break;
      const auto until = next < endpoints.size() ? std::min(next_attempt_, deadline) : deadline;
      const auto woken = co_await changed_.wait(until);
      if (woken || (woken.error() == Error::Kind::timed_out && Clock::now() < deadline)) continue;
      failure_ = woken.error();
      break;
    }
    for (auto* const other : trying_) other->abandon();
    if (winner_) co_return std::move(winner_);
    co_return std::unexpected(failure_);
  }

 private:
  static Awaitable<void> attempt(std::shared_ptr<Race> race, Endpoint to, Deadline deadline) {
    auto failed = co_await race->try_one(to, deadline);
    if (!failed && race->precedence(failed.error()) >= race->precedence(race->failure_))
      race->failure_ = failed.error();
    --race->open_;
    race->changed_.notify();
  }

  Awaitable<Outcome<void>> try_one(Endpoint to, Deadline deadline) {
    PAKE_CO_TRY(auto stream, make_socket(loop_, to.family(), to_address(to)));
    const auto place = trying_.insert(stream.get()).first;
    const auto connected = co_await stream->connect(to.generic(), to.size, deadline);
    trying_.erase(place);
    if (connected && !winner_) winner_ = std::move(stream);
    co_return connected;
  }

  // Which of several failures a person can do most with.
  static int precedence(const Error& error) {
    switch (error.kind) {
      case Error::Kind::refused:
        return 3;
      case Error::Kind::timed_out:
        return 2;
      case Error::Kind::unreachable:
      case Error::Kind::unknown_host:
        return 0;
      default:
        return 1;
    }
  }

  Loop& loop_;
  Signal changed_{loop_};
  std::set<SocketStream*> trying_;
  std::unique_ptr<Stream> winner_;
  Error failure_{.kind = Error::Kind::unknown_host, .system = EAI_NONAME};
  std::size_t open_ = 0;
  Deadline next_attempt_{};
};

// RFC 8305, Section 4: the first address's family first, then one of each in turn, each family in its order.
std::vector<Endpoint> interleave(const std::vector<Endpoint>& endpoints) {
  if (endpoints.empty()) return {};
  const int family = endpoints.front().family();
  std::deque<Endpoint> first, second;
  for (const auto& endpoint : endpoints) (endpoint.family() == family ? first : second).push_back(endpoint);
  std::vector<Endpoint> mixed;
  while (!first.empty() || !second.empty()) {
    for (auto* const from : {&first, &second}) {
      if (from->empty()) continue;
      mixed.push_back(from->front());
      from->pop_front();
    }
  }
  return mixed;
}

Awaitable<Outcome<std::unique_ptr<Stream>>> connect_one(Loop& loop, Endpoint to, Deadline deadline) {
  PAKE_CO_TRY(auto stream, make_socket(loop, to.family(), to_address(to)));
  PAKE_CO_TRYV(co_await stream->connect(to.generic(), to.size, deadline));
  co_return std::move(stream);
}

Awaitable<Outcome<std::unique_ptr<Stream>>> connect_tcp(Loop& loop, TcpAddress address, Deadline deadline) {
  PAKE_CO_TRY(const auto found, co_await look_up(loop, std::move(address), Purpose::to_connect, deadline));
  if (found.size() == 1) co_return co_await connect_one(loop, found.front(), deadline);
  co_return co_await std::make_shared<Race>(loop)->run(interleave(found), deadline);
}

Awaitable<Outcome<std::unique_ptr<Stream>>> connect_unix(Loop& loop, UnixAddress address, Deadline deadline) {
  const auto where = to_sockaddr(address);
  PAKE_CO_TRY(auto stream, make_socket(loop, AF_UNIX, std::move(address)));
  const auto connected = co_await stream->connect(generic(where), sizeof where, deadline);
  if (!connected && connected.error().system == ENOENT) co_return fail(Error::Kind::refused, ENOENT);
  if (!connected && is_no_socket(where)) co_return fail(Error::Kind::other, ENOTSOCK);
  if (!connected) co_return std::unexpected(connected.error());
  co_return std::move(stream);
}

}  // namespace

Awaitable<Outcome<std::unique_ptr<Stream>>> connect(Loop& loop, Address address, Deadline deadline) {
  if (auto* tcp = std::get_if<TcpAddress>(&address)) co_return co_await connect_tcp(loop, std::move(*tcp), deadline);
  co_return co_await connect_unix(loop, std::get<UnixAddress>(std::move(address)), deadline);
}

std::unique_ptr<Stream> adopt(Loop& loop, int socket, Address peer) {
  return std::make_unique<SocketStream>(loop, socket, prepare(socket), std::move(peer));
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

Outcome<Socket> bind_and_listen(const sockaddr* where, socklen_t size, Sharing sharing) {
  Socket socket(::socket(where->sa_family, kSocketFlags, 0));
  const int on = 1;
  const int off = 0;
  if (socket.get() < 0) return std::unexpected(from_errno(errno));
  // [::] stands for both families, as most programs take it, whatever net.ipv6.bindv6only says.
  const bool is_any = where->sa_family == AF_INET6 &&
                      IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(where)->sin6_addr) != 0;
  if (where->sa_family == AF_INET6)
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, is_any ? &off : &on, sizeof on);
  if (where->sa_family != AF_UNIX) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sharing == Sharing::one_a_loop) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(socket.get(), where, size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0)
    return std::unexpected(from_errno(errno));
  return socket;
}

/// Held while a path in a directory is bound, listened on or removed: between two of these steps another program would
/// take a living socket for a dead one. A directory that we may not lock is used without.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& path)
      : directory_(::open(parent(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    constexpr int kTries = 100;  // somebody else may hold it for reasons of their own
    for (int i = 0; i < kTries && ::flock(directory_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; ++i)
      ::usleep(10'000);
  }

 private:
  static std::string parent(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
  }
  Socket directory_;
};

/// The path of a unix socket that we listen on. It goes with us, unless somebody has put something else there.
class BoundPath {
 public:
  explicit BoundPath(std::string path) : path_(std::move(path)), exists_(::lstat(path_.c_str(), &status_) == 0) {}
  BoundPath(const BoundPath&) = delete;
  BoundPath& operator=(const BoundPath&) = delete;
  ~BoundPath() {
    if (!exists_) return;
    const DirectoryLock lock(path_);
    struct stat now{};
    if (::lstat(path_.c_str(), &now) == 0 && now.st_dev == status_.st_dev && now.st_ino == status_.st_ino)
      ::unlink(path_.c_str());
  }

 private:
  std::string path_;
  struct stat status_{};
  bool exists_;
};

// A path on which nobody listens any more: what a killed listener leaves behind.
bool is_left_behind(const sockaddr_un& where) {
  const Socket probe(::socket(AF_UNIX, kSocketFlags, 0));
  return ::connect(probe.get(), generic(where), sizeof where) != 0 && errno == ECONNREFUSED;
}

struct Bound {
  Socket socket;
  Address address;
  std::unique_ptr<BoundPath> path = nullptr;
};

Outcome<Bound> listen_on(const UnixAddress& address) {
  const auto where = to_sockaddr(address);
  const DirectoryLock lock(address.path);
  auto socket = bind_and_listen(generic(where), sizeof where, Sharing::alone);
  if (!socket && socket.error() == Error::Kind::in_use) {
    struct stat status{};
    if (::lstat(where.sun_path, &status) == 0 && !S_ISSOCK(status.st_mode)) return fail(Error::Kind::occupied, EEXIST);
    if (!is_left_behind(where)) return std::unexpected(socket.error());
    ::unlink(where.sun_path);
    socket = bind_and_listen(generic(where), sizeof where, Sharing::alone);
  }
  if (!socket) return std::unexpected(socket.error());
  return Bound{.socket = std::move(*socket), .address = address, .path = std::make_unique<BoundPath>(address.path)};
}

Outcome<Bound> listen_on(const std::vector<Endpoint>& endpoints, Sharing sharing) {
  Outcome<Socket> socket = fail(Error::Kind::unknown_host, EAI_NONAME);
  for (const auto& endpoint : endpoints) {
    socket = bind_and_listen(endpoint.generic(), endpoint.size, sharing);
    if (!socket) continue;
    Endpoint bound{.size = sizeof bound.storage};
    ::getsockname(socket->get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
    return Bound{.socket = std::move(*socket), .address = to_address(bound)};
  }
  return std::unexpected(socket.error());
}

Outcome<Address> address_of_listening(int socket) {
  int type = 0, is_listening = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return fail(Error::Kind::other, errno);
  size = sizeof is_listening;
  if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0 || is_listening == 0 ||
      type != SOCK_STREAM)
    return fail(Error::Kind::other, EINVAL);
  Endpoint bound{.size = sizeof bound.storage};
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
  if (bound.family() == AF_INET || bound.family() == AF_INET6) return to_address(bound);
  if (bound.family() != AF_UNIX) return fail(Error::Kind::other, EAFNOSUPPORT);
  const auto& local = reinterpret_cast<const sockaddr_un&>(bound.storage);
  const auto length = bound.size - offsetof(sockaddr_un, sun_path);
  return UnixAddress{.path = std::string(local.sun_path, ::strnlen(local.sun_path, length))};
}

// Of no host: all addresses of this machine, of both families if there are two.
std::vector<Endpoint> any_address(std::uint16_t port) {
  Endpoint v6{.size = sizeof(sockaddr_in6)}, v4{.size = sizeof(sockaddr_in)};
  auto& six = reinterpret_cast<sockaddr_in6&>(v6.storage);
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  auto& four = reinterpret_cast<sockaddr_in&>(v4.storage);
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  return {v6, v4};
}

}  // namespace

class Listener::Impl {
 public:
  Impl(Loop& loop, Bound bound)
      : descriptor_(loop.impl(), bound.socket.release()),
        transport_(prepare(descriptor_.fd())),
        address_(std::move(bound.address)),
        path_(std::move(bound.path)) {}

  Awaitable<Outcome<std::unique_ptr<Stream>>> accept(Loop& home, Deadline deadline) {
    for (;;) {
      PAKE_CO_TRYV(descriptor_.may_go_on());
      Endpoint from{.size = sizeof from.storage};
      const int socket = ::accept4(descriptor_.fd(), reinterpret_cast<sockaddr*>(&from.storage), &from.size,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket >= 0)
        co_return std::make_unique<SocketStream>(
            home, socket, transport_, std::holds_alternative<UnixAddress>(address_) ? address_ : to_address(from));
      const auto error = from_errno(errno);
      if (error == Error::Kind::exhausted) co_return std::unexpected(error);
      // Other errors are those of a connection that died in the queue (accept(2)): the next one, please.
      if (error.system == EAGAIN) PAKE_CO_TRYV(co_await descriptor_.ready(Descriptor::Direction::read, deadline));
    }
  }

  void interrupt() { descriptor_.interrupt(); }
  [[nodiscard]] const Address& address() const noexcept { return address_; }

 private:
  Descriptor descriptor_;
  Transport transport_;
  Address address_;
  std::unique_ptr<BoundPath> path_;
};

Outcome<Listener> Listener::open(Loop& loop, const Address& address, Sharing sharing) {
  const auto* const tcp = std::get_if<TcpAddress>(&address);
  std::vector<Endpoint> endpoints;
  if (tcp != nullptr && tcp->host.empty()) endpoints = any_address(tcp->port);
  if (tcp != nullptr && endpoints.empty()) {
    PAKE_TRY(endpoints, look_up_blocking(*tcp, Purpose::to_listen));
  }
  PAKE_TRY(auto bound, tcp != nullptr ? listen_on(endpoints, sharing) : listen_on(std::get<UnixAddress>(address)));
  return Listener(std::make_unique<Impl>(loop, std::move(bound)));
}

Outcome<Listener> Listener::adopt(Loop& loop, int socket) {
  PAKE_TRY(auto address, address_of_listening(socket));
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  return Listener(std::make_unique<Impl>(loop, Bound{.socket = Socket(socket), .address = std::move(address)}));
}

Awaitable<Outcome<Listener>> listen(Loop& loop, Address address, Deadline deadline) {
  const auto* const tcp = std::get_if<TcpAddress>(&address);
  if (tcp == nullptr || tcp->host.empty()) co_return Listener::open(loop, address);
  PAKE_CO_TRY(const auto endpoints, co_await look_up(loop, *tcp, Purpose::to_listen, deadline));
  PAKE_CO_TRY(auto bound, listen_on(endpoints, Sharing::alone));
  co_return Listener(std::make_unique<Listener::Impl>(loop, std::move(bound)));
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
