// Two channels and two applications that do anything, over pipes that split anywhere: what is read is a prefix of what
// was written, and whole where both sides let the stream end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <string>

#include "sides.h"

namespace pake::channel {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) { return static_cast<std::size_t>(random()) % bound; }

/// Mostly small, sometimes up to `most`.
std::size_t some_size(Random& random, std::size_t most) {
  return 1 + below(random, std::min(most, std::size_t{1} << below(random, 18)));
}

struct Flow {
  std::string written, read;
  std::deque<Buffer> kept;  // what `write` was given lives as long as the test
  bool finished = false, broken_off = false, released = false;
  bool peer_finished = false, peer_broke_off = false;
};

class Application {
 public:
  Application(Role role, KeyCache& cache, AeadId aead)
      : channel(testing::some_keys(aead), role, cache, {}), role_(role) {}

  void do_anything(Random& random) {
    const auto what = below(random, 100);
    if (what < 8 && role_ == Role::client) {
      if (const auto stream = channel.open(as_bytes("service"))) flows[*stream];
    }
    if (flows.empty()) return;
    auto& [stream, flow] = *std::next(flows.begin(), static_cast<std::ptrdiff_t>(below(random, flows.size())));
    if (flow.released) return;
    if (what < 50) {
      write(stream, flow, random);
    } else if (what < 54) {
      if (channel.finish(stream)) flow.finished = true;
    } else if (what < 55) {
      channel.reset(stream, ResetCode::cancelled);
      flow.broken_off = true;
    } else if (what < 57) {
      release(stream, flow);
    } else if (what < 58) {
      flow.written.resize(flow.written.size() - channel.withdraw(stream).size());
    } else {
      read(stream, flow, random);
    }
  }

  void write(StreamId stream, Flow& flow, Random& random) {
    Buffer bytes(some_size(random, 60'000));
    std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random()); });
    const auto& kept = flow.kept.emplace_back(std::move(bytes));
    if (channel.write(stream, kept)) flow.written += as_text(kept);
  }

  void read(StreamId stream, Flow& flow, Random& random) {
    const auto bytes = channel.unread(stream);
    if (bytes.empty()) return;
    const auto size = 1 + below(random, bytes.size());
    flow.read += as_text(bytes.first(size));
    channel.consume(stream, size);
  }

  void release(StreamId stream, Flow& flow) {
    if (!flow.finished || !flow.peer_finished || !channel.unsent(stream).empty() || !channel.unread(stream).empty())
      flow.broken_off = true;
    channel.release(stream);
    flow.released = true;
  }

  void drain_events(Random& random) {
    while (auto event = channel.next_event()) {
      if (const auto* opened = std::get_if<Opened>(&*event)) {
        flows[opened->stream];
      } else if (const auto* readable = std::get_if<Readable>(&*event)) {
        if (below(random, 2) == 0) read(readable->stream, flows.at(readable->stream), random);
      } else if (const auto* finished = std::get_if<Finished>(&*event)) {
        flows.at(finished->stream).peer_finished = true;
      } else if (const auto* was_reset = std::get_if<WasReset>(&*event)) {
        flows.at(was_reset->stream).peer_broke_off = true;
      } else if (std::holds_alternative<Closed>(*event)) {
        channel.close(CloseCode::done);
      }
    }
  }

  void produce(Buffer& wire, Random& random) {
    Buffer out(Channel::kMinOutput + below(random, 70'000));
    const auto size = channel.produce(out, {});
    wire.insert(wire.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    drain_events(random);
  }

  /// Some of what is on the wire arrives.
  void receive(Buffer& wire, Random& random) {
    const auto size = std::min(wire.size(), some_size(random, 1U << 18U));
    input_.insert(input_.end(), wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size));
    wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size));
    MutableBytes rest(input_);
    while (!rest.empty()) {
      const auto taken = channel.receive(rest, {});
      ASSERT_TRUE(taken) << to_string(taken.error());
      if (*taken == 0) break;
      drain_events(random);
      rest = rest.subspan(*taken);
    }
    std::ranges::fill(MutableBytes(input_).first(input_.size() - rest.size()), 0xee);  // no view may need it any more
    input_.erase(input_.begin(), input_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  }

  Channel channel;
  std::map<StreamId, Flow> flows;

 private:
  Role role_;
  Buffer input_;
};

struct World {
  World(std::uint64_t seed, AeadId aead)
      : random(seed), client(Role::client, cache, aead), server(Role::server, cache, aead) {}

  void step() {
    auto& side = below(random, 2) == 0 ? client : server;
    const bool is_client = &side == &client;
    switch (below(random, 4)) {
      case 0:
        return side.produce(is_client ? to_server : to_client, random);
      case 1:
        return side.receive(is_client ? to_client : to_server, random);
      default:
        return side.do_anything(random);
    }
  }

  void carry_everything() {
    while (client.channel.wants_to_send() || server.channel.wants_to_send() || !to_server.empty() ||
           !to_client.empty()) {
      client.produce(to_server, random);
      server.produce(to_client, random);
      server.receive(to_server, random);
      client.receive(to_client, random);
      ASSERT_FALSE(::testing::Test::HasFatalFailure());
    }
  }

  void read_everything() {
    for (bool more = true; more;) {
      carry_everything();
      more = false;
      for (auto* side : {&client, &server})
        for (auto& [stream, flow] : side->flows)
          while (!side->channel.unread(stream).empty()) {
            side->read(stream, flow, random);
            more = true;
          }
    }
  }

  void check_prefixes() {
    for (auto& [stream, at_client] : client.flows) {
      auto& at_server = server.flows[stream];
      EXPECT_TRUE(at_client.written.starts_with(at_server.read)) << stream;
      EXPECT_TRUE(at_server.written.starts_with(at_client.read)) << stream;
    }
  }

  static void check_whole(const Flow& from, const Flow& to) {
    if (from.broken_off || to.broken_off) return;
    EXPECT_EQ(to.peer_finished, from.finished);
    EXPECT_TRUE(to.read == from.written);
  }

  Random random;
  KeyCache cache{3};  // fewer places than directions
  Application client, server;
  Buffer to_server, to_client;
};

void run(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  World world(seed, seed % 2 == 0 ? AeadId::aes_256_gcm : AeadId::chacha20_poly1305);
  for (int i = 0; i < 400; ++i) world.step();
  world.check_prefixes();
  world.read_everything();
  for (auto* side : {&world.client, &world.server})
    for (auto& [stream, flow] : side->flows)
      if (!flow.finished && !flow.released && side->channel.finish(stream)) flow.finished = true;
  world.read_everything();
  world.check_prefixes();
  for (auto& [stream, at_client] : world.client.flows) {
    World::check_whole(at_client, world.server.flows[stream]);
    World::check_whole(world.server.flows[stream], at_client);
  }
  for (auto* side : {&world.client, &world.server})
    for (auto& [stream, flow] : side->flows)
      if (!flow.released) side->channel.release(stream);
  world.carry_everything();
  EXPECT_EQ(world.client.channel.buffered() + world.server.channel.buffered(), 0);
  world.client.channel.close(CloseCode::done);
  world.carry_everything();
  EXPECT_EQ(world.client.channel.end(), EndReason::closed);
  EXPECT_EQ(world.server.channel.end(), EndReason::closed);
}

TEST(ChannelProperty, WhatIsReadIsAPrefixOfWhatWasWritten) {
  const char* only = std::getenv("PAKE_SEED");
  if (only != nullptr) return run(std::strtoull(only, nullptr, 10));
  for (std::uint64_t seed = 1; seed <= 300 && !HasFailure(); ++seed) run(seed);
}

}  // namespace
}  // namespace pake::channel
