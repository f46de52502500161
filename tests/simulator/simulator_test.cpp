// Seeded runs, and every byte of a short run of every kind. See README.md for how to run more, and one again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <map>
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
