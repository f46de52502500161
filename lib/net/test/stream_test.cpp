#include "pake/net/stream.h"

#include <atomic>

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
