// The channel by pake::net: Bob waits for whoever knows a code, Alice connects, and one line travels in a stream and
// comes back. Both are tasks of one loop here; between them is loopback.
#include <cstdio>
#include <string>
#include <utility>

#include "pake/net.h"

namespace channel = pake::channel;
namespace net = pake::net;

namespace {

constexpr const char* kCode = "7-walnut-otter";

struct Program {
  net::Loops loops{1};  // as many threads as shall compute at once
  pake::crypto::SystemRng rng;
  channel::KeyCache cache;  // one for all channels of a loop
  pake::GuessBudget guesses{1};
  std::string echoed;
};

net::Deadline soon() { return net::after(std::chrono::seconds(10)); }

// A channel's records travel while this runs, until both sides have closed.
net::Awaitable<void> carry(std::shared_ptr<net::ChannelLink> link) { co_await link->run(); }

net::Awaitable<void> bob(Program& program, net::Listener& listener) {
  auto& loop = program.loops.main();
  auto stream = co_await listener.accept(loop, soon());
  if (!stream) co_return;
  const net::ServerSide side{.decide = [&](const channel::ClientRequest& request) -> net::Awaitable<channel::Decision> {
                               auto permit = program.guesses.take();
                               if (request.kind != channel::HandshakeKind::code || !permit) co_return channel::Alert{};
                               co_return channel::CodeAnswer{.code = pake::SecretBuffer::copy_of(pake::as_bytes(kCode)),
                                                             .permit = *std::move(permit)};
                             },
                             .rng = program.rng,
                             .cache = program.cache};
  auto accepted = co_await net::accept_channel(loop, *stream, side);
  if (!accepted) co_return;  // a wrong code, or nobody's
  const auto link = accepted->link;
  loop.spawn(carry(link));
  auto opened = co_await link->accept(soon());
  if (!opened) co_return;
  pake::Buffer line(64);
  const auto size = co_await opened->stream->read_some(line, soon());
  if (size) static_cast<void>(co_await opened->stream->write_all(pake::Bytes(line).first(*size), soon()));
  opened->stream->shutdown_write();
  link->delivered();
}

net::Awaitable<void> alice(Program& program, net::Address address) {
  auto& loop = program.loops.main();
  auto stream = co_await net::connect(loop, std::move(address), soon());
  if (!stream) co_return;
  auto handshake = channel::ClientHandshake::by_code({}, {.selector = {}, .code = pake::as_bytes(kCode)}, program.rng);
  if (!handshake) co_return;
  auto connected = co_await net::connect_channel(loop, *stream, *std::move(handshake), program.cache);
  if (!connected) co_return;  // another code, or somebody in between
  const auto link = connected->link;
  auto echo = link->open("echo");
  if (!echo) co_return;
  loop.spawn(carry(link));
  static_cast<void>(co_await (*echo)->write_all(pake::as_bytes("hello"), soon()));
  (*echo)->shutdown_write();
  pake::Buffer line(64);
  const auto size = co_await (*echo)->read_some(line, soon());
  if (size) program.echoed = pake::as_text(pake::Bytes(line).first(*size));
  link->close(channel::CloseCode::done);
}

net::Awaitable<void> both(Program& program) {
  auto listener = net::Listener::open(program.loops.main(), net::TcpAddress{.port = 0});
  if (!listener) co_return;
  program.loops.main().spawn(alice(program, listener->address()));
  co_await bob(program, *listener);
}

}  // namespace

int main() {
  Program program;
  program.loops.run(both(program));
  std::printf("Alice hears: %s\n", program.echoed.c_str());
  return program.echoed == "hello" ? 0 : 1;
}
