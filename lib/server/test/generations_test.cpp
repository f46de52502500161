#include "pake/server/generations.h"

#include <gtest/gtest.h>

#include <vector>

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using enum Generations::Verdict;
using store::UserState;

const Generations::Instant kNow{1'000'000s};

store::GenerationChange change(const char* name, std::uint64_t generation, UserState state = UserState::enabled) {
  return {.sequence = generation, .name = name, .generation = generation, .state = state, .at = store::Time(1s)};
}

TEST(Generations, KnowNothingUntilTheyAreRead) {
  Generations view;
  EXPECT_EQ(view.look("alice", 1, kNow), ask_store);
  view.refreshed(kNow);
  EXPECT_EQ(view.look("alice", 1, kNow), current);
}

TEST(Generations, DecideForFiveSecondsOnly) {
  Generations view;
  view.refreshed(kNow);
  EXPECT_EQ(view.look("alice", 1, kNow + 5s), current);
  EXPECT_EQ(view.look("alice", 1, kNow + 5s + 1ns), ask_store);
  view.refreshed(kNow - 1s);  // a slower query that ends later makes the view no older
  EXPECT_EQ(view.look("alice", 1, kNow + 5s), current);
}

TEST(Generations, WhatIsSupersededStaysSo) {
  Generations view;
  view.refreshed(kNow);
  view.apply(std::vector{change("alice", 7)});
  EXPECT_EQ(view.look("alice", 6, kNow), superseded);
  EXPECT_EQ(view.look("alice", 6, kNow + 1h), superseded);
  EXPECT_EQ(view.look("alice", 7, kNow), current);
  EXPECT_EQ(view.look("bob", 6, kNow), current);
}

TEST(Generations, DisabledIsSupersededWhateverTheGeneration) {
  Generations view;
  view.refreshed(kNow);
  view.apply(std::vector{change("alice", 7, UserState::disabled)});
  EXPECT_EQ(view.look("alice", 7, kNow), superseded);
  view.apply(std::vector{change("alice", 7, UserState::enabled)});
  EXPECT_EQ(view.look("alice", 7, kNow), current);
}

TEST(Generations, AskTheStoreOfWhatIsNewerThanTheView) {
  Generations view;
  view.refreshed(kNow);
  view.apply(std::vector{change("alice", 7)});
  EXPECT_EQ(view.look("alice", 8, kNow), ask_store);
}

TEST(Generations, ForgetWhatIsOlderThanAnyTicket) {
  Generations view;
  view.apply(std::vector{change("alice", 7)});
  view.forget_before(store::Time(1s));
  EXPECT_EQ(view.size(), 1U);
  view.forget_before(store::Time(2s));
  EXPECT_EQ(view.size(), 0U);
}

}  // namespace
}  // namespace pake::server
