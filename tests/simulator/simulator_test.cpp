// Seeded runs, and every byte of a short run of every kind. See README.md for how to run more, and one again.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "frames.h"
#include "properties.h"
#include "simulation.h"

namespace pake::channel::simulator {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): there is one thread
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

/// Runs it; false, and a test failure, where a property does not hold.
bool holds(const Simulation& simulation) {
  const auto broken = broken_properties(simulation);
  for (const auto& what : broken) ADD_FAILURE() << what << "\n  " << describe(simulation.scenario());
  return broken.empty();
}

/// What has become of the runs, counted.
class Figures {
 public:
  void count(const Simulation& simulation) {
    const auto& scenario = simulation.scenario();
    const auto category = std::string(to_string(scenario.category));
    ++counts_["runs"];
    ++counts_["category " + category];
    ++counts_["kind " + test::name_of(scenario.plan)];
    if (scenario.harm) {
      const bool is_done = simulation.has_been_meddled_with();
      ++counts_["harm " + std::string(to_string(scenario.harm->kind)) + (is_done ? "" : " (came to nothing)")];
    }
    for (const auto& each : simulation.conversations())
      for (const auto* party : {&each->client, &each->server}) {
        count(party->application());
        ++counts_["end " + std::string(party == &each->client ? "of a client: " : "of a server: ") +
                  party->how_it_ended()];
      }
  }
  void print() const {
    for (const auto& [what, count] : counts_) std::cout << std::setw(12) << count << "  " << what << '\n';
  }

 private:
  void count(const Application& application) {
    for (const auto& [stream, flow] : application.flows()) {
      counts_["bytes handed up"] += flow.read;
      ++counts_[flow.whole       ? "streams read to their end"
                : flow.was_reset ? "streams reset by the peer"
                                 : "streams cut"];
    }
  }

  std::map<std::string, std::size_t> counts_;
};

TEST(Simulator, WhateverTheNetworkDoes) {
  const auto first = from_environment("PAKE_SIMULATOR_SEED", 1);
  const auto runs = from_environment("PAKE_SIMULATOR_RUNS", 2'000);
  Figures figures;
  for (std::uint64_t i = 0; i < runs && !HasFailure(); ++i) {
    Simulation simulation(draw_scenario(first + i));
    if (runs == 1) std::cout << describe(simulation.scenario()) << '\n';
    simulation.run();
    holds(simulation);
    figures.count(simulation);
  }
  figures.print();
}

// --- What must have been run, whatever the seeds are.

Scenario of(HandshakeKind kind, Traffic traffic) {
  return {.category = Category::awkward, .plan = test::all_plans(kind).front(), .traffic = traffic};
}

// Towards a peer that never closes and goes on sending PINGs, a Close has an end: its own deadline.
TEST(Peers, ThatNeverCloseAreLeft) {
  for (const auto never : {Role::client, Role::server}) {
    const auto closer = never == Role::client ? Traffic::Closer::server : Traffic::Closer::client;
    Simulation simulation(
        of(HandshakeKind::code,
           {.seed = 3, .streams = 2, .turns = 8, .largest_write = 500, .closer = closer, .never_closes = never}));
    simulation.run();
    EXPECT_TRUE(holds(simulation));
    const auto& run = *simulation.conversations().front();
    const auto& left = never == Role::client ? run.server : run.client;
    EXPECT_EQ(left.how_it_ended(), to_string(EndReason::unanswered));
    EXPECT_EQ(left.over_since(), *left.application().closed_at() + kCloseTime);
  }
}

// A link that was fast and passes 4 kB/s from then on is slow, not dead: with the road full, a minute's bytes are under
// way, and either side hears of the other all the same.
TEST(Links, ThatSlowDownAreAlive) {
  for (const std::size_t slow : {0U, 1U, 2U}) {
    auto scenario = of(HandshakeKind::code, {.seed = 5, .streams = 12, .turns = 250, .largest_write = 200'000});
    for (const std::size_t way : {0U, 1U})
      if (slow == 2 || slow == way) scenario.weather.at(way).slows_after = 20'000;
    Simulation simulation(std::move(scenario));
    simulation.run();
    EXPECT_TRUE(holds(simulation));
    const auto& run = *simulation.conversations().front();
    EXPECT_TRUE(run.client.has_closed_cleanly() && run.server.has_closed_cleanly());
    EXPECT_GT(run.client.over_since() - Instant{}, std::chrono::seconds(55)) << "it was not slow for long";
  }
}

// A ticket lent under one of a server's names is refused under another, like one that nobody knows: no channel, and the
// client learns that it has to log in.
TEST(Tickets, OfAnotherNameOpenNothing) {
  for (const bool is_same : {true, false}) {
    auto scenario = of(HandshakeKind::resume, {.seed = 7, .streams = 1, .turns = 4, .largest_write = 100});
    scenario.plan.ticket = std::make_shared<const StoredTicket>(test::World::get().ticket());
    if (!is_same) scenario.plan.server_name = "b.example.org";
    scenario.has_secret = is_same;
    Simulation simulation(std::move(scenario));
    simulation.run();
    EXPECT_TRUE(holds(simulation));
    const auto& run = *simulation.conversations().front();
    EXPECT_EQ(run.client.has_channel(), is_same);
    EXPECT_EQ(run.server.has_channel(), is_same);
    if (!is_same) {
      EXPECT_EQ(run.client.how_it_ended(), "handshake failed: auth_failed, told so");
    }
  }
}

// --- Every byte of a short run.

class EveryByte : public ::testing::TestWithParam<test::Plan> {
 protected:
  static Scenario short_run() {
    return {.plan = GetParam(), .traffic = {.seed = 4, .streams = 1, .turns = 6, .largest_write = 40}};
  }
  /// The frames that this side sends where nobody meddles.
  static std::vector<std::size_t> sizes_of_frames(Role sender) {
    Simulation honest(short_run());
    honest.run();
    EXPECT_TRUE(holds(honest));
    const auto& run = *honest.conversations().front();
    std::vector<std::size_t> sizes;
    for (const auto frame : frames_of(sender == Role::client ? run.to_server.sent() : run.to_client.sent()))
      sizes.push_back(frame.size());
    return sizes;
  }
  /// Each run of a login stretches a password: ./check takes some of its bytes only, scripts/soak every one. Of the
  /// other kinds both take every byte.
  static std::size_t stride() {
    if (GetParam().kind != HandshakeKind::login) return 1;
    return std::max<std::size_t>(1, from_environment("PAKE_SIMULATOR_STRIDE", 29));
  }

  static void harm_every_byte(Harm::Kind kind) {
    std::size_t number = 0, runs = 0;
    for (const auto sender : {Role::client, Role::server}) {
      const auto sizes = sizes_of_frames(sender);
      EXPECT_GE(sizes.size(), 4U) << "a hello or two, a proof, some records and a Close";
      for (std::size_t frame = 0; frame < sizes.size(); ++frame)
        for (std::size_t byte = 0; byte < sizes[frame]; ++byte, ++number) {
          if (number % stride() != 0) continue;
          auto scenario = short_run();
          scenario.harm = {.kind = kind, .sender = sender, .frame = frame, .byte = byte, .salt = number};
          Simulation simulation(std::move(scenario));
          simulation.run();
          ++runs;
          if (!holds(simulation)) return;
        }
    }
    std::cout << to_string(kind) << ": " << runs << " of " << number << " bytes\n";
  }
};
std::vector<test::Plan> with(AeadId aead, std::vector<test::Plan> plans) {
  for (auto& plan : plans) plan.client_aead = aead;
  return plans;
}

constexpr auto kName = [](const auto& info) { return test::name_of(info.param); };
INSTANTIATE_TEST_SUITE_P(Aes, EveryByte, ::testing::ValuesIn(with(AeadId::aes_256_gcm, test::all_plans())), kName);
INSTANTIATE_TEST_SUITE_P(ChaCha20, EveryByte, ::testing::ValuesIn(with(AeadId::chacha20_poly1305, test::all_plans())),
                         kName);

TEST_P(EveryByte, MayBeTheFirstThatIsCutOff) {
  harm_every_byte(Harm::Kind::cut_by_fin);
  harm_every_byte(Harm::Kind::cut_by_rst);
}

TEST_P(EveryByte, MayBeFlipped) { harm_every_byte(Harm::Kind::flip_bit); }

TEST_P(EveryByte, MayBeLost) { harm_every_byte(Harm::Kind::lose_bytes); }

TEST_P(EveryByte, MayBeRepeated) { harm_every_byte(Harm::Kind::repeat_bytes); }

}  // namespace
}  // namespace pake::channel::simulator
