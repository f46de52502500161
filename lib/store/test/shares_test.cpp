#include "pake/store/shares.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr CredentialParameters kThird = {.epoch = 3, .suite = 2, .ksf_profile = 1};

FakeShareStep first() { return {.step = 1, .effective_at = kNow, .shares = {{kFirst, kWholeShare}}}; }

TEST(Shares, MoveNamesAsTheShareGrows) {
  const auto quarter = advanced(first(), kSecond, kWholeShare / 4, kNow + 10s);
  EXPECT_TRUE(may_follow(first(), quarter));
  EXPECT_EQ(parameters_of(quarter, 0), kSecond);
  EXPECT_EQ(parameters_of(quarter, 0x3fffffff), kSecond);
  EXPECT_EQ(parameters_of(quarter, 0x40000000), kFirst);
  EXPECT_EQ(parameters_of(quarter, 0xffffffff), kFirst);
  const auto whole = advanced(quarter, kSecond, kWholeShare, kNow + 20s);
  EXPECT_TRUE(may_follow(quarter, whole));
  EXPECT_EQ(parameters_of(whole, 0xffffffff), kSecond);
}

TEST(Shares, NeverMoveANameBack) {
  SeededRng rng(3);
  const CredentialParameters parameters[] = {kFirst, kSecond, kThird};
  const auto age = [&](const CredentialParameters& of) { return std::ranges::find(parameters, of) - parameters; };
  for (int run = 0; run < 300; ++run) {
    auto step = first();
    for (int i = 0; i < 6; ++i) {
      std::array<std::uint8_t, 5> bytes{};
      rng.fill(bytes);
      const auto known = std::min<std::size_t>(step.shares.size(), 2);
      const auto& next_parameters = parameters[std::min<std::size_t>(1 + bytes[4] % 2U, known)];
      const auto share = (std::uint64_t{bytes[0]} << 24U | std::uint64_t{bytes[1]} << 16U | bytes[2]) + bytes[3] % 2U;
      const auto next = advanced(step, next_parameters, share, step.effective_at + 1s);
      ASSERT_TRUE(may_follow(step, next)) << run;
      for (int probe = 0; probe < 16; ++probe) {
        std::array<std::uint8_t, 4> drawn{};
        rng.fill(drawn);
        const auto draw = std::uint32_t{drawn[0]} << 24U | std::uint32_t{drawn[1]} << 16U | drawn[2];
        EXPECT_GE(age(parameters_of(next, draw)), age(parameters_of(step, draw))) << run;
      }
      step = next;
    }
  }
}

TEST(Shares, RefuseAStepThatWouldMoveANameBack) {
  const auto step = advanced(first(), kSecond, kWholeShare / 2, kNow);
  const auto refused = [&](auto edit) {
    auto next = advanced(step, kSecond, kWholeShare * 3 / 4, kNow);
    EXPECT_TRUE(may_follow(step, next));
    edit(next);
    return !may_follow(step, next);
  };
  EXPECT_TRUE(refused([](auto& next) { next.shares[1].below = kWholeShare / 2 - 1; }));
  EXPECT_TRUE(refused([](auto& next) { next.shares.pop_back(); }));
  EXPECT_TRUE(refused([](auto& next) { std::swap(next.shares[0].parameters, next.shares[1].parameters); }));
  EXPECT_TRUE(refused([](auto& next) { next.step = 5; }));
  EXPECT_TRUE(refused([](auto& next) { next.effective_at = kNow - 1s; }));
  EXPECT_TRUE(refused([](auto& next) { next.shares[0].below = 7; }));
  EXPECT_TRUE(refused([](auto& next) { next.shares[1].below = kWholeShare + 1; }));
  EXPECT_TRUE(refused([](auto& next) { next.shares[1].parameters = kFirst; }));
  EXPECT_TRUE(refused([](auto& next) { next.shares.clear(); }));
  EXPECT_FALSE(refused([](auto& next) { next.shares.push_back({kThird, 1}); }));
  // Once nobody belongs to the oldest it may go.
  const auto done = advanced(step, kSecond, kWholeShare, kNow);
  auto pruned = done;
  ++pruned.step;
  pruned.shares.erase(pruned.shares.begin());
  EXPECT_TRUE(may_follow(done, pruned));
}

TEST(Shares, AreInForceFromTheirTimeOn) {
  const auto second = advanced(first(), kSecond, kWholeShare, kNow + 10s);
  const std::vector steps = {first(), second};
  EXPECT_EQ(step_at(steps, kNow - 1s).step, 1U);
  EXPECT_EQ(step_at(steps, kNow + 9s).step, 1U);
  EXPECT_EQ(step_at(steps, kNow + 10s).step, 2U);
}

}  // namespace
}  // namespace pake::store
