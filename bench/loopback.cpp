// One side of a transfer over loopback: a process to be measured whole, by loopback.py.
//
//   loopback receive tcp|tls|pake             prints the port it listens on, and at the end the seconds that it took
//   loopback send tcp|tls|pake PORT BYTES     the bytes leave in writes of 256 KiB
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "arguments.h"
#include "loopback_channel.h"
#include "tls.h"

namespace {

using namespace pake;
using namespace pake::bench;

constexpr std::size_t kChunk = 256 * 1024;

/// Calls `send` with pieces of `bytes` bytes in all.
void in_chunks(std::uint64_t bytes, auto send) {
  const Buffer chunk(kChunk, 'x');
  for (; bytes != 0; bytes -= std::min<std::uint64_t>(bytes, kChunk))
    send(Bytes(chunk).first(std::min<std::uint64_t>(bytes, kChunk)));
}

// --- Sockets, blocking.

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    const int on = 1;
    require(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd_); }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const auto address = loopback(port);
  require(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

int accept_one() {
  const Socket listener(socket(AF_INET, SOCK_STREAM, 0));
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  require(bind(listener.fd(), generic, size) == 0 && listen(listener.fd(), 1) == 0 &&
          getsockname(listener.fd(), generic, &size) == 0);
  say(std::to_string(ntohs(address.sin_port)));
  return accept(listener.fd(), nullptr, nullptr);
}

void send_tcp(std::uint16_t port, std::uint64_t bytes) {
  const Socket socket(connect_to(port));
  in_chunks(bytes, [&](Bytes chunk) {
    while (!chunk.empty()) {
      const auto size = ::send(socket.fd(), chunk.data(), chunk.size(), 0);
      require(size > 0);
      chunk = chunk.subspan(static_cast<std::size_t>(size));
    }
  });
}

void receive_tcp() {
  const Socket socket(accept_one());
  const StopWatch watch;
  Buffer chunk(kChunk);
  while (recv(socket.fd(), chunk.data(), chunk.size(), 0) > 0) continue;
}

// --- TLS 1.3, AES-256-GCM.

/// With what helps OpenSSL: it reads ahead, several records a call.
Session start_tls(const Context& context, const Socket& socket) {
  require(SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_256_GCM_SHA384") == 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);  // the certificate was made in the other process
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kChunk);
  Session session(SSL_new(context.get()));
  require(SSL_set_fd(session.get(), socket.fd()) == 1);
  return session;
}

void send_tls(std::uint16_t port, std::uint64_t bytes) {
  const TlsContexts contexts;
  const Socket socket(connect_to(port));
  const auto session = start_tls(contexts.client, socket);
  require(SSL_connect(session.get()) == 1);
  in_chunks(bytes, [&](Bytes chunk) {
    std::size_t size = 0;
    require(SSL_write_ex(session.get(), chunk.data(), chunk.size(), &size) == 1 && size == chunk.size());
  });
  require(SSL_shutdown(session.get()) >= 0);
}

void receive_tls() {
  const TlsContexts contexts;
  const Socket socket(accept_one());
  const auto session = start_tls(contexts.server, socket);
  require(SSL_accept(session.get()) == 1);
  const StopWatch watch;
  Buffer chunk(kChunk);
  std::size_t size = 0;
  while (SSL_read_ex(session.get(), chunk.data(), chunk.size(), &size) == 1) continue;
  require(SSL_get_error(session.get(), 0) == SSL_ERROR_ZERO_RETURN);
}

// --- The channel, as an application has it: one stream.

net::Awaitable<void> write_stream(net::ChannelLink& link, std::uint64_t bytes) {
  const auto stream = link.open("discard").value();
  const Buffer chunk(kChunk, 'x');
  for (; bytes != 0; bytes -= std::min<std::uint64_t>(bytes, kChunk))
    (co_await stream->write_all(Bytes(chunk).first(std::min<std::uint64_t>(bytes, kChunk)), net::kNever)).value();
  stream->shutdown_write();
  Buffer nothing(1);
  require((co_await stream->read_some(nothing, net::kNever)).error() == net::Error::Kind::closed);
  link.close(channel::CloseCode::done);
}

net::Awaitable<void> send_pake(net::Loop& loop, std::uint16_t port, std::uint64_t bytes) {
  channel::KeyCache cache;
  const auto link = co_await dial_channel(loop, cache, port);
  loop.spawn(write_stream(*link, bytes));
  require((co_await link->run()).end == channel::EndReason::closed);
}

net::Awaitable<void> read_stream(net::ChannelLink& link) {
  const auto accepted = (co_await link.accept(net::after(kPatience))).value();
  const StopWatch watch;
  Buffer chunk(kChunk);
  while (co_await accepted.stream->read_some(chunk, net::kNever)) continue;
  accepted.stream->shutdown_write();
  link.delivered();
}

net::Awaitable<void> receive_pake(net::Loop& loop) {
  channel::KeyCache cache;
  auto listener = listen_on_loopback(loop);
  const auto link = co_await accept_channel(loop, cache, listener);
  loop.spawn(read_stream(*link));
  require((co_await link->run()).end == channel::EndReason::closed);
}

// --- What is asked for.

int usage() {
  std::fputs("usage: loopback receive tcp|tls|pake\n       loopback send tcp|tls|pake PORT BYTES\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (argc < 3) return usage();
  const std::string_view role = arguments[1], kind = arguments[2];
  net::Loops loops(1);
  if (role == "receive" && argc == 3) {
    if (kind == "tcp") return receive_tcp(), 0;
    if (kind == "tls") return receive_tls(), 0;
    if (kind == "pake") return loops.run(receive_pake(loops.main())), 0;
  } else if (role == "send" && argc == 5) {
    const auto port = to_port(arguments[3]);
    const auto bytes = to_number(arguments[4]);
    if (kind == "tcp") return send_tcp(port, bytes), 0;
    if (kind == "tls") return send_tls(port, bytes), 0;
    if (kind == "pake") return loops.run(send_pake(loops.main(), port, bytes)), 0;
  }
  return usage();
}
