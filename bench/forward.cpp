// What carries local TCP connections through a channel, a stream each, and what loads it: processes for loopback.py.
//
//   forward listen BACKEND            the far end: prints its port, takes one channel, connects each stream to BACKEND
//   forward dial PORT                 the near end: prints the local port whose connections it carries
//   forward relay BACKEND             both ends in one without a channel: what the connections themselves cost
//   forward echo                      a backend: prints its port, says back what it hears
//   forward load PORT COUNT AT_ONCE   opens COUNT connections, AT_ONCE side by side: each sends 64 bytes, waits for
//                                     their echo, ends its side and waits for the end; prints the seconds of all
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "arguments.h"
#include "loopback_channel.h"

namespace {

using namespace pake;
using namespace pake::bench;
using StreamPtr = std::unique_ptr<net::Stream>;

constexpr std::size_t kPiece = 4 * 1024;
constexpr std::size_t kMessage = 64;

net::Awaitable<StreamPtr> connect_to(net::Loop& loop, std::uint16_t port) {
  co_return (co_await net::connect(loop, net::TcpAddress{.port = port}, net::after(kPatience))).value();
}

// --- Two streams joined, each way by a coroutine; the last of them to end lets both go.

struct Joint {
  StreamPtr near, far;
};

net::Awaitable<void> pump(std::shared_ptr<Joint> joint, StreamPtr Joint::* from, StreamPtr Joint::* to) {
  Buffer piece(kPiece);
  while (const auto count = co_await ((*joint).*from)->read_some(piece, net::kNever))
    if (!co_await ((*joint).*to)->write_all(Bytes(piece).first(*count), net::kNever)) break;
  ((*joint).*to)->shutdown_write();
}

void join(net::Loop& loop, StreamPtr near, StreamPtr far) {
  const auto joint = std::make_shared<Joint>(std::move(near), std::move(far));
  loop.spawn(pump(joint, &Joint::near, &Joint::far));
  loop.spawn(pump(joint, &Joint::far, &Joint::near));
}

// --- The two ends of the channel.

net::Awaitable<void> join_to_backend(net::Loop& loop, StreamPtr stream, std::uint16_t backend) {
  auto connection = co_await connect_to(loop, backend);
  join(loop, std::move(stream), std::move(connection));
}

net::Awaitable<void> take_streams(net::Loop& loop, std::shared_ptr<net::ChannelLink> link, std::uint16_t backend) {
  while (auto accepted = co_await link->accept(net::kNever))
    loop.spawn(join_to_backend(loop, std::move(accepted->stream), backend));
}

net::Awaitable<void> listen(net::Loop& loop, std::uint16_t backend) {
  channel::KeyCache cache;
  auto listener = listen_on_loopback(loop);
  const auto link = co_await accept_channel(loop, cache, listener);
  loop.spawn(take_streams(loop, link, backend));
  co_await link->run();
}

net::Awaitable<void> take_connections(net::Loop& loop, std::shared_ptr<net::ChannelLink> link) {
  auto listener = listen_on_loopback(loop);
  for (;;) {
    auto connection = (co_await listener.accept(loop, net::kNever)).value();
    join(loop, std::move(connection), link->open("forward").value());
  }
}

net::Awaitable<void> dial(net::Loop& loop, std::uint16_t port) {
  channel::KeyCache cache;
  const auto link = co_await dial_channel(loop, cache, port);
  loop.spawn(take_connections(loop, link));
  co_await link->run();
}

net::Awaitable<void> relay(net::Loop& loop, std::uint16_t backend) {
  auto listener = listen_on_loopback(loop);
  for (;;) loop.spawn(join_to_backend(loop, (co_await listener.accept(loop, net::kNever)).value(), backend));
}

// --- What is at the two ends of it.

net::Awaitable<void> say_back(StreamPtr connection) {
  Buffer piece(kPiece);
  while (const auto count = co_await connection->read_some(piece, net::kNever))
    if (!co_await connection->write_all(Bytes(piece).first(*count), net::kNever)) co_return;
}

net::Awaitable<void> echo(net::Loop& loop) {
  auto listener = listen_on_loopback(loop);
  for (;;) loop.spawn(say_back((co_await listener.accept(loop, net::kNever)).value()));
}

net::Awaitable<void> use_once(net::Loop& loop, std::uint16_t port) {
  const Buffer message(kMessage, 'x');
  Buffer answer(kMessage);
  const auto connection = co_await connect_to(loop, port);
  (co_await connection->write_all(message, net::after(kPatience))).value();
  for (auto rest = MutableBytes(answer); !rest.empty();)
    rest = rest.subspan((co_await connection->read_some(rest, net::after(kPatience))).value());
  if (answer != message) std::abort();
  connection->shutdown_write();
  if ((co_await connection->read_some(answer, net::after(kPatience))).error() != net::Error::Kind::closed) std::abort();
}

net::Awaitable<void> use_often(net::Loop& loop, std::uint16_t port, std::shared_ptr<std::uint64_t> left) {
  while (*left != 0) {
    --*left;
    co_await use_once(loop, port);
  }
}

net::Awaitable<void> load(net::Loop& loop, std::uint16_t port, std::uint64_t count, std::uint64_t at_once) {
  const auto left = std::make_shared<std::uint64_t>(count);
  for (std::uint64_t i = 1; i < at_once; ++i) loop.spawn(use_often(loop, port, left));
  co_await use_often(loop, port, left);
}

int usage() {
  std::fputs("usage: forward listen BACKEND | forward dial PORT | forward echo | forward load PORT COUNT AT_ONCE\n",
             stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const std::string_view role = argc < 2 ? "" : arguments[1];
  net::Loops loops(1);
  if (role == "listen" && argc == 3) {
    loops.run(listen(loops.main(), to_port(arguments[2])));
  } else if (role == "dial" && argc == 3) {
    loops.run(dial(loops.main(), to_port(arguments[2])));
  } else if (role == "relay" && argc == 3) {
    loops.run(relay(loops.main(), to_port(arguments[2])));
  } else if (role == "echo" && argc == 2) {
    loops.run(echo(loops.main()));
  } else if (role == "load" && argc == 5) {
    const StopWatch watch;
    loops.run(load(loops.main(), to_port(arguments[2]), to_number(arguments[3]), to_number(arguments[4])));
  } else {
    return usage();
  }
  return 0;
}
