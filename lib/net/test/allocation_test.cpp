// What an idle channel over a socket, and a caller that is waited for, take from the heap.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <string>
#include <vector>

#include "pake/channel/frame.h"
#include "pake/channel/messages.h"
#include "pake/net/channel_link.h"
#include "pake/net/handshake.h"
#include "pake/testing/allocations.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/heap.h"
#include "support.h"

namespace pake::net {
namespace {

using testing::allocations;

// Of the release build as of the sanitized one.
constexpr std::size_t kIdleLimit = 3072;
constexpr std::size_t kWaitingLimit = 3072;

channel::ChannelKeys some_keys() {
  const auto key = [] { return channel::TrafficKey::make([](MutableBytes out) { out[0] = 1; }); };
  channel::ChannelKeys keys;
  keys.client = key();
  keys.server = key();
  return keys;
}

struct Both {
  Both(Loop& loop, channel::KeyCache& cache) : Both(loop, cache, Pair(loop)) {}
  Both(Loop& loop, channel::KeyCache& cache, Pair pair)
      : client(loop, std::move(pair.left), some_keys(), channel::Role::client, cache, {}),
        server(loop, std::move(pair.right), some_keys(), channel::Role::server, cache, {}) {}

  ChannelLink client, server;
};

Awaitable<void> carry(ChannelLink& link) { static_cast<void>(co_await link.run()); }

struct Idle {
  static constexpr std::size_t kCount = 200;
  channel::KeyCache cache;
  std::vector<std::unique_ptr<Both>> all;
};

Awaitable<void> measure(Loops& loops, Idle& idle, std::size_t& of_heap) {
  auto& [cache, all] = idle;
  auto& loop = loops.main();
  all.reserve(Idle::kCount + 1);
  std::size_t before = 0;
  for (std::size_t i = 0; i <= Idle::kCount; ++i) {
    if (i == 1) before = testing::heap_in_use();  // the first one fills what they share
    all.push_back(std::make_unique<Both>(loop, cache));
    loop.spawn(carry(all.back()->client));
    loop.spawn(carry(all.back()->server));
    EXPECT_TRUE(co_await loop.sleep_until(after(1ms)));
  }
  of_heap = (testing::heap_in_use() - before) / Idle::kCount / 2;
  loops.cancel();
}

// With its socket's stream, the frames of all that drives it, what is pending, and what the allocator adds.
TEST(Allocation, AnIdleChannelOverASocketTakesLittle) {
  Loops loops(1);
  Idle idle;  // lives until each `run` has returned
  std::size_t of_heap = 0;
  loops.run(measure(loops, idle, of_heap));
  std::cout << "an idle channel over a socket takes " << of_heap << " bytes with all that drives it\n";
  EXPECT_LE(of_heap, kIdleLimit);
}

Awaitable<void> read_to_end(ChannelLink& link) {
  auto accepted = co_await link.accept(patient());
  Buffer piece(64 * 1024);
  while (co_await accepted->stream->read_some(piece, patient())) continue;
  accepted->stream->shutdown_write();
  link.delivered();
}

Awaitable<void> be_busy_once(Loop& loop, Both& both, std::size_t& busy, std::size_t& idle) {
  loop.spawn(carry(both.client));
  loop.spawn(carry(both.server));
  loop.spawn(read_to_end(both.server));
  {
    const Buffer much(3'000'000);
    auto stream = both.client.open("discard");
    EXPECT_TRUE(co_await (*stream)->write_all(much, patient()));
    (*stream)->shutdown_write();
    Buffer nothing(1);
    EXPECT_EQ((co_await (*stream)->read_some(nothing, patient())).error(), Error::Kind::closed);
  }
  busy = allocations().bytes;
  EXPECT_TRUE(co_await loop.sleep_until(after(1500ms)));
  idle = allocations().bytes;
  both.client.close(channel::CloseCode::done);
}

TEST(Allocation, WhatHasBeenSentLeavesNoBuffer) {
  constexpr std::size_t kOutput = 200 * 1024;  // at least
  Loops loops(1);
  channel::KeyCache cache;
  Both both(loops.main(), cache);
  std::size_t busy = 0, idle = 0;
  loops.run(be_busy_once(loops.main(), both, busy, idle));
  EXPECT_LE(idle + kOutput, busy);
}

/// The other side of a caller: a bare descriptor, which takes nothing from the heap.
class Peer {
 public:
  explicit Peer(Loop& loop) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    fd_ = fds[0];
    stream = adopt(loop, fds[1], UnixAddress{.path = "pair"});
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(fd_); }

  void send(Bytes bytes) const {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  std::unique_ptr<Stream> stream;  // the server's

 private:
  int fd_ = -1;
};

/// A ClientHello with a code whose selector and server name have `names` bytes, and `padding` bytes of an extension
/// that nobody knows.
Buffer hello(std::size_t names, std::size_t padding) {
  const std::string name(names, 'n');
  testing::SeededRng rng(1);
  auto handshake = channel::ClientHandshake::by_code(
      {.server_name = to_buffer(as_bytes(name))}, {.selector = as_bytes(name), .code = as_bytes("acid-zoom-42")}, rng);
  const auto frame = handshake->take_message().value();
  auto message = channel::ClientHello::decode(Bytes(frame).subspan(channel::FrameHeader::kSize)).value();
  Buffer extension = {0x01, 0x00, static_cast<std::uint8_t>(padding >> 8U), static_cast<std::uint8_t>(padding)};
  extension.resize(extension.size() + padding);
  if (padding > 0) message.extensions = extension;
  auto padded = message.encode_up_to_pake(message.pake.size());
  padded.insert(padded.end(), message.pake.begin(), message.pake.end());
  return padded;
}

Awaitable<void> serve(Loop& loop, std::unique_ptr<Stream>& stream, const ServerSide& side) {
  static_cast<void>(co_await accept_channel(loop, stream, side));
}

Awaitable<void> measure_waiting(Loops& loops, Buffer first, std::size_t& of_a_caller) {
  constexpr std::size_t kCount = 50;
  auto& loop = loops.main();
  channel::KeyCache cache;
  testing::SeededRng rng(2);
  GuessBudget budget(2 * kCount);
  std::size_t waiting = 0;
  const ServerSide side{.decide = [&](const channel::ClientRequest&) -> Awaitable<channel::Decision> {
                          co_return channel::CodeAnswer{.code = SecretBuffer::copy_of(as_bytes("acid-zoom-42")),
                                                        .permit = *budget.take()};
                        },
                        .rng = rng,
                        .cache = cache,
                        .timeouts = {.hello = 60s, .decision = 60s, .login_finish = 60s, .finish = 60s},
                        .on_stage = [&](HandshakeStage stage) { waiting += stage == HandshakeStage::waiting; }};
  std::vector<std::unique_ptr<Peer>> all;
  for (std::size_t i = 0; i <= kCount; ++i) all.push_back(std::make_unique<Peer>(loop));  // the sockets do not count
  std::size_t before = 0;
  for (std::size_t i = 0; i <= kCount; ++i) {
    if (i == 1) before = testing::heap_in_use();  // the first one fills what they share
    all[i]->send(first);
    loop.spawn(serve(loop, all[i]->stream, side));
    for (int turns = 0; waiting <= i && turns < 10'000; ++turns) co_await loop.yield();
    EXPECT_TRUE(co_await loop.sleep_until(after(1ms)));
  }
  EXPECT_EQ(waiting, kCount + 1);
  of_a_caller = (testing::heap_in_use() - before) / kCount;
  for (const auto& peer : all) peer->stream->interrupt();
  EXPECT_TRUE(co_await loop.sleep_until(after(20ms)));
}

// What a stranger makes a server hold until his finish comes or its time is over, beside the socket: the machine, the
// frames and what is pending, and what the allocator adds. A large hello leaves nothing behind.
TEST(Allocation, ACallerThatIsWaitedForTakesLittleWhateverItsHelloWas) {
  for (const auto& [names, padding] : {std::pair(0U, 0U), std::pair(255U, 0U), std::pair(255U, 6'000U)}) {
    Loops loops(1);
    std::size_t bytes = 0;
    loops.run(measure_waiting(loops, hello(names, padding), bytes));
    std::cout << "a caller waited for takes " << bytes << " bytes, with " << names << " bytes of names and " << padding
              << " of padding\n";
    EXPECT_LE(bytes, kWaitingLimit);
  }
}

}  // namespace
}  // namespace pake::net
