#include "forwarding_stream.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>

#include "pake/net/clock.h"
#include "pake/net/loops.h"

namespace pake::server {
namespace {

/// Notes which of its functions are called.
class Noting final : public net::Stream {
 public:
  net::Awaitable<net::Outcome<std::size_t>> read_some(MutableBytes into, net::Deadline) override {
    calls += "read_some ";
    co_return into.size();
  }
  net::Awaitable<net::Outcome<void>> write_all(Bytes, net::Deadline) override {
    calls += "write_all ";
    co_return net::Outcome<void>();
  }
  net::Awaitable<net::Outcome<std::size_t>> write_some(Bytes, net::Deadline) override {
    calls += "write_some ";
    co_return std::size_t{1};
  }
  net::Awaitable<net::Outcome<void>> wait_acknowledged(net::Deadline) override {
    calls += "wait_acknowledged ";
    co_return net::Outcome<void>();
  }
  void shutdown_write() noexcept override { calls += "shutdown_write "; }
  void reset(channel::ResetCode) override { calls += "reset "; }
  [[nodiscard]] bool has_peer_ended() noexcept override {
    calls += "has_peer_ended ";
    return true;
  }
  void interrupt() override { calls += "interrupt "; }
  [[nodiscard]] const net::Address& peer() const noexcept override { return address; }

  std::string calls;
  net::Address address;
};

net::Awaitable<void> call_everything(net::Stream& stream) {
  std::array<std::uint8_t, 3> bytes{};
  const auto deadline = net::after(std::chrono::seconds(1));
  EXPECT_EQ(co_await stream.read_some(bytes, deadline), 3U);
  EXPECT_TRUE(co_await stream.write_all(bytes, deadline));
  EXPECT_EQ(co_await stream.write_some(bytes, deadline), 1U);
  EXPECT_TRUE(co_await stream.wait_acknowledged(deadline));
}

// A session that writes all where the link asked for some takes a slow peer for a dead one.
TEST(ForwardingStream, HandsOnEveryCall) {
  Noting noting;
  ForwardingStream stream(noting);
  net::Loops loops(1);
  loops.run(call_everything(stream));
  stream.shutdown_write();
  stream.reset(channel::ResetCode{});
  EXPECT_TRUE(stream.has_peer_ended());
  stream.interrupt();
  EXPECT_EQ(&stream.peer(), &noting.address);
  EXPECT_EQ(noting.calls,
            "read_some write_all write_some wait_acknowledged shutdown_write reset has_peer_ended interrupt ");
}

}  // namespace
}  // namespace pake::server
