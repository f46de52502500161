#include "pake/net/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <string_view>

#include "support.h"

namespace pake::net {
namespace {

Awaitable<Buffer> read_to_end(Stream& stream) {
  Buffer all;
  std::array<std::uint8_t, 4096> chunk{};
  for (;;) {
    const auto count = co_await stream.read_some(chunk, patient());
    if (!count) {
      EXPECT_EQ(count.error().kind, Error::Kind::closed) << count.error().explain();
      co_return all;
    }
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*count));
  }
}

Awaitable<Error::Kind> why_no_read(Stream& stream, Deadline deadline) {
  std::array<std::uint8_t, 16> chunk{};
  const auto count = co_await stream.read_some(chunk, deadline);
  EXPECT_FALSE(count);
  co_return count ? Error::Kind::other : count.error().kind;
}

Awaitable<void> write_and_end(Stream& stream, const Buffer& bytes) {
  EXPECT_TRUE(co_await stream.write_all(bytes, patient()));
  stream.shutdown_write();
}

Awaitable<void> carry(Loop& loop, std::size_t size) {
  Pair pair(loop);
  Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  loop.spawn(write_and_end(*pair.left, bytes));
  EXPECT_EQ(co_await read_to_end(*pair.right), bytes);
}

TEST(Stream, CarriesMoreThanAnySocketBuffer) {
  for (const std::size_t size : {0U, 1U, 5000U, 5'000'000U}) {
    Loops loops(1);
    loops.run(carry(loops.main(), size));
  }
}

Awaitable<void> deadlines(Loop& loop) {
  Pair pair(loop);
  EXPECT_EQ(co_await why_no_read(*pair.left, soon()), Error::Kind::timed_out);
  const auto written = co_await pair.left->write_all(Buffer(50'000'000), soon());
  EXPECT_FALSE(written);
  if (!written) EXPECT_EQ(written.error().kind, Error::Kind::timed_out);
}

TEST(Stream, NeitherSideWaitsPastItsDeadline) {
  Loops loops(1);
  loops.run(deadlines(loops.main()));
}

Awaitable<void> write_until_deadline(Stream& stream, std::atomic<bool>& ended) {
  EXPECT_FALSE(co_await stream.write_all(Buffer(50'000'000), soon()));
  ended = true;
}

Awaitable<void> write_one(Stream& stream) { EXPECT_TRUE(co_await stream.write_all(Buffer(1), patient())); }

Awaitable<void> both_directions(Loop& loop) {
  Pair pair(loop);
  std::atomic<bool> ended = false;
  loop.spawn(write_until_deadline(*pair.left, ended));
  EXPECT_TRUE(co_await loop.sleep_until(after(1ms)));
  std::array<std::uint8_t, 1> byte{};
  while (!ended) {  // the read goes on while the write ends
    const auto count = co_await pair.left->read_some(byte, soon());
    if (!count) EXPECT_EQ(count.error().kind, Error::Kind::timed_out);
  }
  loop.spawn(write_one(*pair.right));
  EXPECT_TRUE(co_await pair.left->read_some(byte, patient()));
}

TEST(Stream, ADeadlineEndsItsOwnDirectionOnly) {
  Loops loops(1);
  loops.run(both_directions(loops.main()));
}

Awaitable<void> interrupt_soon(Loop& loop, Stream& stream) {
  EXPECT_TRUE(co_await loop.sleep_until(soon()));
  stream.interrupt();
}

Awaitable<void> interruptions(Loop& loop) {
  Pair pair(loop);
  loop.spawn(interrupt_soon(loop, *pair.left));
  EXPECT_EQ(co_await why_no_read(*pair.left, patient()), Error::Kind::interrupted);
  pair.left->interrupt();
  EXPECT_EQ(co_await why_no_read(*pair.left, patient()), Error::Kind::interrupted);
  EXPECT_EQ(co_await why_no_read(*pair.left, soon()), Error::Kind::timed_out) << "one interruption, one read";
}

TEST(Stream, InterruptEndsThisReadOrTheNext) {
  Loops loops(1);
  loops.run(interruptions(loops.main()));
}

Awaitable<void> vanish(Loop& loop) {
  Pair pair(loop);
  EXPECT_TRUE(co_await pair.left->write_all(Buffer(3), patient()));
  pair.left.reset();
  std::array<std::uint8_t, 16> chunk{};
  EXPECT_EQ(co_await pair.right->read_some(chunk, patient()), 3U);
  EXPECT_EQ(co_await why_no_read(*pair.right, patient()), Error::Kind::closed);
  const auto written = co_await pair.right->write_all(Buffer(3), patient());
  EXPECT_FALSE(written);
  if (!written) EXPECT_EQ(written.error().kind, Error::Kind::reset);
}

TEST(Stream, APeerThatVanishesIsToldFromOneThatIsSlow) {
  Loops loops(1);
  loops.run(vanish(loops.main()));
}

Awaitable<void> acknowledged(Loop& loop) {
  auto listener = Listener::open(loop, TcpAddress{.port = 0});
  if (!listener) co_return ADD_FAILURE() << listener.error().explain();
  auto near = co_await connect(loop, listener->address(), patient());
  auto far = co_await listener->accept(loop, patient());
  if (!near || !far) co_return ADD_FAILURE();
  EXPECT_TRUE(co_await (*near)->write_all(Buffer(100), patient()));
  EXPECT_TRUE(co_await (*near)->wait_acknowledged(patient())) << "the peer need not read";

  // More than the peer's receive buffer takes is not acknowledged; a peer that resets will never acknowledge it.
  EXPECT_FALSE(co_await (*near)->write_all(Buffer(50'000'000), soon()));
  const auto unread = co_await (*near)->wait_acknowledged(soon());
  EXPECT_FALSE(unread);
  if (!unread) EXPECT_EQ(unread.error().kind, Error::Kind::timed_out);
  far->reset();
  const auto gone = co_await (*near)->wait_acknowledged(patient());
  EXPECT_FALSE(gone);
  if (!gone) EXPECT_EQ(gone.error().kind, Error::Kind::reset);
}

TEST(Stream, WaitsForThePeersAcknowledgement) {
  Loops loops(1);
  loops.run(acknowledged(loops.main()));
}

/// The other end of a TCP connection: a bare descriptor.
class Peer {
 public:
  explicit Peer(const Address& to) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in where{.sin_family = AF_INET,
                            .sin_port = htons(std::get<TcpAddress>(to).port),
                            .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                            .sin_zero = {}};
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(fd_); }

  void send(std::string_view text, int flags = 0) {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), flags), static_cast<ssize_t>(text.size()));
  }
  void end() { EXPECT_EQ(::shutdown(fd_, SHUT_WR), 0); }

 private:
  int fd_;
};

Awaitable<std::string> read_once(Stream& stream) {
  std::array<char, 64> chunk{};
  const auto count =
      co_await stream.read_some(MutableBytes(reinterpret_cast<std::uint8_t*>(chunk.data()), chunk.size()), patient());
  co_return count ? std::string(chunk.data(), *count) : std::string("nothing: ") + count.error().explain();
}

// A read that is given less than it asked for has taken everything, and the next one waits without asking again.
Awaitable<void> short_reads(Loop& loop) {
  auto listener = Listener::open(loop, TcpAddress{.host = "127.0.0.1"});
  Peer peer(listener->address());
  const auto stream = std::move(*co_await listener->accept(loop, patient()));
  EXPECT_EQ(co_await why_no_read(*stream, soon()), Error::Kind::timed_out);
  peer.send("12345");
  EXPECT_EQ(co_await read_once(*stream), "12345");
  peer.send("678");
  EXPECT_TRUE(co_await loop.sleep_until(after(5ms)));  // it comes while nobody waits
  EXPECT_EQ(co_await read_once(*stream), "678");
  EXPECT_EQ(co_await why_no_read(*stream, soon()), Error::Kind::timed_out);
  peer.send("abc", MSG_OOB);  // a read ends at urgent data, whatever is behind it
  peer.send("defgh");
  EXPECT_EQ(co_await read_once(*stream), "ab");
  EXPECT_EQ(co_await read_once(*stream), "defgh");
  peer.send("9");
  peer.end();
  EXPECT_EQ(co_await read_once(*stream), "9");
  EXPECT_EQ(co_await why_no_read(*stream, patient()), Error::Kind::closed);
}

TEST(Stream, WhatIsBehindAShortReadIsTold) {
  Loops loops(1);
  loops.run(short_reads(loops.main()));
}

// As a child has it that is about to become another program: closing the descriptor does not end the socket.
Awaitable<void> leave_a_copy(Loop& loop) {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  const int copy = ::dup(fds[0]);
  auto gone = adopt(loop, fds[0], UnixAddress{.path = "pair"});
  EXPECT_EQ(co_await why_no_read(*gone, soon()), Error::Kind::timed_out);
  gone.reset();
  Pair pair(loop);
  EXPECT_EQ(co_await why_no_read(*pair.left, soon()), Error::Kind::timed_out);
  EXPECT_EQ(::write(fds[1], "x", 1), 1);
  EXPECT_EQ(co_await why_no_read(*pair.left, soon()), Error::Kind::timed_out);
  ::close(copy);
  ::close(fds[1]);
}

TEST(Stream, OfASocketThatItHasLeftItHearsNothing) {
  Loops loops(1);
  loops.run(leave_a_copy(loops.main()));
}

Awaitable<void> flood(Stream& stream) {
  const Buffer bytes(1024);
  while (co_await stream.write_all(bytes, patient())) {
  }
}

Awaitable<void> drain(Stream& stream, const std::atomic<bool>& enough) {
  std::array<std::uint8_t, 64> chunk{};
  while (!enough) EXPECT_TRUE(co_await stream.read_some(chunk, patient()));
}

Awaitable<void> fairness(Loop& loop) {
  Pair pair(loop);
  std::atomic<bool> enough = false;
  loop.spawn(flood(*pair.left));
  loop.spawn(drain(*pair.right, enough));
  EXPECT_TRUE(co_await loop.sleep_until(soon())) << "a stream that never waits kept the loop to itself";
  enough = true;
  EXPECT_TRUE(co_await loop.sleep_until(soon()));
  pair.right.reset();
  EXPECT_TRUE(co_await loop.sleep_until(soon()));
}

TEST(Stream, AFloodLeavesTheLoopToOthers) {
  Loops loops(1);
  loops.run(fairness(loops.main()));
}

}  // namespace
}  // namespace pake::net
