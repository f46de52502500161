// What carries local TCP connections through a channel, a stream each, and what loads it: processes for loopback.py.
//
// - `forward listen BACKEND`, the far end: prints its port, takes one channel, connects each stream to BACKEND
// - `forward dial PORT LOCAL`, the near end: carries the connections to LOCAL
// - `forward relay LOCAL BACKEND`, both ends in one without a channel: what the connections themselves cost
// - `forward echo LOCAL`, a backend: says back what it hears
// - `forward load ADDRESS COUNT AT_ONCE`: opens COUNT connections, AT_ONCE side by side; each sends 64 bytes, waits for
//   their echo, ends its side and waits for the end; prints the seconds of all
//
// LOCAL, BACKEND and ADDRESS are as `net::parse_address` reads them; where one listens is printed.
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

net::Awaitable<StreamPtr> connect_to(net::Loop& loop, net::Address address) {
  co_return (co_await net::connect(loop, std::move(address), net::after(kPatience))).value();
}

net::Listener listen_on(net::Loop& loop, const net::Address& address) {
  auto listener = net::Listener::open(loop, address).value();
  say(net::to_string(listener.address()));
  return listener;
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

net::Awaitable<void> join_to_backend(net::Loop& loop, StreamPtr stream, net::Address backend) {
  auto connection = co_await connect_to(loop, std::move(backend));
  join(loop, std::move(stream), std::move(connection));
}

net::Awaitable<void> take_streams(net::Loop& loop, std::shared_ptr<net::ChannelLink> link, net::Address backend) {
  while (auto accepted = co_await link->accept(net::kNever))
    loop.spawn(join_to_backend(loop, std::move(accepted->stream), backend));
  link->delivered();
}

net::Awaitable<void> listen(net::Loop& loop, net::Address backend) {
  channel::KeyCache cache;
  auto listener = listen_on_loopback(loop);
  const auto link = co_await accept_channel(loop, cache, listener);
  loop.spawn(take_streams(loop, link, std::move(backend)));
  co_await link->run();
}

net::Awaitable<void> take_connections(net::Loop& loop, std::shared_ptr<net::ChannelLink> link, net::Address local) {
  auto listener = listen_on(loop, local);
  for (;;) {
    auto connection = (co_await listener.accept(loop, net::kNever)).value();
    join(loop, std::move(connection), link->open("forward").value());
  }
}

net::Awaitable<void> dial(net::Loop& loop, std::uint16_t port, net::Address local) {
  channel::KeyCache cache;
  const auto link = co_await dial_channel(loop, cache, port);
  loop.spawn(take_connections(loop, link, std::move(local)));
  co_await link->run();
}

net::Awaitable<void> relay(net::Loop& loop, net::Address local, net::Address backend) {
  auto listener = listen_on(loop, local);
  for (;;) loop.spawn(join_to_backend(loop, (co_await listener.accept(loop, net::kNever)).value(), backend));
}

// --- What is at the two ends of it.

net::Awaitable<void> say_back(StreamPtr connection) {
  Buffer piece(kPiece);
  while (const auto count = co_await connection->read_some(piece, net::kNever))
    if (!co_await connection->write_all(Bytes(piece).first(*count), net::kNever)) co_return;
}

net::Awaitable<void> echo(net::Loop& loop, net::Address local) {
  auto listener = listen_on(loop, local);
  for (;;) loop.spawn(say_back((co_await listener.accept(loop, net::kNever)).value()));
}

net::Awaitable<void> use_once(net::Loop& loop, net::Address address) {
  const Buffer message(kMessage, 'x');
  Buffer answer(kMessage);
  const auto connection = co_await connect_to(loop, std::move(address));
  (co_await connection->write_all(message, net::after(kPatience))).value();
  for (auto rest = MutableBytes(answer); !rest.empty();)
    rest = rest.subspan((co_await connection->read_some(rest, net::after(kPatience))).value());
  if (answer != message) std::abort();
  connection->shutdown_write();
  if ((co_await connection->read_some(answer, net::after(kPatience))).error() != net::Error::Kind::closed) std::abort();
}

net::Awaitable<void> use_often(net::Loop& loop, net::Address address, std::shared_ptr<std::uint64_t> left) {
  while (*left != 0) {
    --*left;
    co_await use_once(loop, address);
  }
}

net::Awaitable<void> load(net::Loop& loop, net::Address address, std::uint64_t count, std::uint64_t at_once) {
  const auto left = std::make_shared<std::uint64_t>(count);
  for (std::uint64_t i = 1; i < at_once; ++i) loop.spawn(use_often(loop, address, left));
  co_await use_often(loop, address, left);
}

int usage() {
  std::fputs(
      "usage: forward listen BACKEND | dial PORT LOCAL | relay LOCAL BACKEND | echo LOCAL | load ADDRESS COUNT "
      "AT_ONCE\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const auto address = [&](std::size_t i) { return net::parse_address(arguments[i]).value(); };
  const std::string_view role = argc < 2 ? "" : arguments[1];
  net::Loops loops(1);
  auto& loop = loops.main();
  if (role == "listen" && argc == 3) {
    loops.run(listen(loop, address(2)));
  } else if (role == "dial" && argc == 4) {
    loops.run(dial(loop, to_port(arguments[2]), address(3)));
  } else if (role == "relay" && argc == 4) {
    loops.run(relay(loop, address(2), address(3)));
  } else if (role == "echo" && argc == 3) {
    loops.run(echo(loop, address(2)));
  } else if (role == "load" && argc == 5) {
    const StopWatch watch;
    loops.run(load(loop, address(2), to_number(arguments[3]), to_number(arguments[4])));
  } else {
    return usage();
  }
  return 0;
}
