// Of every run: no more guesses are answered than there are, no acknowledged change is lost, nobody is let in by a
// wrong password, what a change ends is over within 5 s, and who is throttled does not learn whether there is an
// account.
//
// PAKE_SIMULATION_SEED and PAKE_SIMULATION_RUNS choose other seeds, and more of them.
#include "simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace pake::server::simulation {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::uint64_t first_seed() { return from_environment("PAKE_SIMULATION_SEED", 1); }
std::uint64_t runs() { return from_environment("PAKE_SIMULATION_RUNS", 500); }

/// What is wrong with the runs of a seed, or nothing.
std::string fault_of(std::uint64_t seed, Bug bug, Report* sum = nullptr) {
  const auto run = simulate({.seed = seed, .bug = bug, .twin = Plan::Twin::no});
  if (sum != nullptr) {
    sum->events += run.events;
    sum->answered += run.answered;
    sum->throttled += run.throttled;
    sum->unavailable += run.unavailable;
    sum->accepted += run.accepted;
    sum->by_ticket += run.by_ticket;
    sum->crashes += run.crashes;
    sum->changes += run.changes;
    sum->ended += run.ended;
    sum->honest += run.honest;
    sum->by_device += run.by_device;
    sum->redeemed += run.redeemed;
  }
  return run.violation.value_or("");
}

std::string fault_of_twins(std::uint64_t seed, Bug bug) {
  const auto with = simulate({.seed = seed, .bug = bug, .twin = Plan::Twin::with_account});
  const auto without = simulate({.seed = seed, .bug = bug, .twin = Plan::Twin::without_account});
  for (const auto& run : {with, without})
    if (run.violation) return *run.violation;
  for (std::size_t i = 0; i < std::min(with.told.size(), without.told.size()); ++i)
    if (with.told[i] != without.told[i]) return "told apart: " + with.told[i] + " | " + without.told[i];
  return with.told.size() == without.told.size() ? "" : "told apart by their number";
}

/// A part of the seeds, so that parts may run at once.
class Simulation : public testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::uint64_t kParts = 10;
  [[nodiscard]] static std::uint64_t count() { return std::max<std::uint64_t>(1, runs() / kParts); }
  [[nodiscard]] static std::uint64_t first() { return first_seed() + GetParam() * count(); }
};

TEST_P(Simulation, KeepsItsPromises) {
  if (GetParam() * count() >= runs()) return;  // fewer seeds than parts
  Report sum;
  for (std::uint64_t i = 0; i < count(); ++i) {
    const auto seed = first() + i;
    const auto fault = fault_of(seed, Bug::none, &sum);
    ASSERT_EQ(fault, "") << "PAKE_SIMULATION_SEED=" << seed << " PAKE_SIMULATION_RUNS=1";
  }
  // Everything that is to be proved has happened.
  if (count() < 50) return;
  EXPECT_GT(sum.answered, 20 * count());
  EXPECT_GT(sum.throttled, 10 * count());
  EXPECT_GT(sum.accepted, 2 * count());
  EXPECT_GT(sum.changes, 2 * count());
  EXPECT_GT(sum.by_ticket, 0U);
  EXPECT_GT(sum.crashes, 0U);
  EXPECT_GT(sum.ended, 0U);
  EXPECT_GT(sum.unavailable, 0U);
  EXPECT_GT(sum.honest, 0U);
  EXPECT_GT(sum.by_device, 2 * count());
  EXPECT_GT(sum.redeemed, 0U);
  std::printf(
      "%zu runs: %zu events, %zu answers, %zu throttled, %zu unavailable, %zu accepted, %zu by ticket, %zu crashes, "
      "%zu changes, %zu sessions ended, %zu honest logins, %zu answers to devices, %zu codes redeemed\n",
      static_cast<std::size_t>(count()), sum.events, sum.answered, sum.throttled, sum.unavailable, sum.accepted,
      sum.by_ticket, sum.crashes, sum.changes, sum.ended, sum.honest, sum.by_device, sum.redeemed);
}

TEST_P(Simulation, TellsNamesWithAndWithoutAnAccountTheSame) {
  if (GetParam() * count() >= runs()) return;
  for (std::uint64_t i = 0; i < count() / 4 + 1; ++i)
    ASSERT_EQ(fault_of_twins(first() + i, Bug::none), "")
        << "PAKE_SIMULATION_SEED=" << first() + i << " PAKE_SIMULATION_RUNS=1";
}

INSTANTIATE_TEST_SUITE_P(Part, Simulation, testing::Range<std::uint64_t>(0, 10));

TEST(OneSeed, IsOneRun) {
  const Plan plan{.seed = 7, .bug = Bug::none, .twin = Plan::Twin::with_account};
  EXPECT_EQ(simulate(plan).told, simulate(plan).told);
  EXPECT_NE(simulate(plan).told, simulate({.seed = 8, .bug = Bug::none, .twin = Plan::Twin::with_account}).told);
}

// The tests above can fail: each of these mistakes breaks a promise within some seeds.
class Planted : public testing::TestWithParam<Bug> {};

TEST_P(Planted, IsCaught) {
  constexpr std::uint64_t kSeeds = 60;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto fault = fault_of(seed, GetParam());
    const auto of_twins = fault.empty() ? fault_of_twins(seed, GetParam()) : fault;
    if (of_twins.empty()) continue;
    std::printf("seed %d: %s\n", static_cast<int>(seed), of_twins.c_str());
    return;
  }
  FAIL() << "not in " << kSeeds << " seeds";
}

std::vector<Bug> bugs() {
  std::vector<Bug> all;
  for (auto bug = static_cast<int>(Bug::none) + 1; bug < static_cast<int>(Bug::last); ++bug)
    all.push_back(static_cast<Bug>(bug));
  return all;
}

INSTANTIATE_TEST_SUITE_P(Bug, Planted, testing::ValuesIn(bugs()),
                         [](const auto& bug) { return std::string(to_string(bug.param)); });

}  // namespace
}  // namespace pake::server::simulation
