#include "pake/store/bucket.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr BucketRule kRule = {.burst = 10, .refill_interval = 1h};

std::optional<BucketRow> after(int guesses) {
  std::optional<BucketRow> row;
  for (int i = 0; i < guesses; ++i) row = charged(row, {.refill_interval = 1h}, kNow);
  return row;
}

TEST(Bucket, HoldsABurstAndRefillsOneAnInterval) {
  EXPECT_EQ(guesses_left(kRule, std::nullopt, kNow), 10);
  for (int spent = 1; spent <= 12; ++spent) EXPECT_EQ(guesses_left(kRule, after(spent), kNow), 10 - spent);
  EXPECT_EQ(guesses_left(kRule, after(10), kNow + 1h - 1ms), 0);
  EXPECT_EQ(guesses_left(kRule, after(10), kNow + 1h), 1);
  EXPECT_EQ(guesses_left(kRule, after(10), kNow + 10h), 10);
  EXPECT_EQ(guesses_left(kRule, after(10), kNow + 1000h), 10);
}

TEST(Bucket, SaysHowLongToWait) {
  EXPECT_EQ(wait_until_left(kRule, std::nullopt, 1, kNow), 0ms);
  EXPECT_EQ(wait_until_left(kRule, after(9), 1, kNow), 0ms);
  EXPECT_EQ(wait_until_left(kRule, after(10), 1, kNow), 1h);
  EXPECT_EQ(wait_until_left(kRule, after(10), 3, kNow + 30min), 2h + 30min);
  EXPECT_EQ(wait_until_left(kRule, after(12), 1, kNow), 3h);
  for (int spent = 0; spent <= 12; ++spent) {
    const auto wait = wait_until_left(kRule, after(spent), 1, kNow);
    EXPECT_GE(guesses_left(kRule, after(spent), kNow + wait), 1);
    if (wait > 0ms) {
      EXPECT_LT(guesses_left(kRule, after(spent), kNow + wait - 1ms), 1);
    }
  }
}

TEST(Bucket, KeepsTheNewestDigests) {
  std::optional<BucketRow> row;
  for (std::uint8_t i = 1; i <= 10; ++i) row = charged(row, {.refill_interval = 1h, .digest = HelloDigest{i}}, kNow);
  ASSERT_EQ(row->charged.size(), kMaxBucketDigests);
  EXPECT_EQ(row->charged.front(), HelloDigest{10});
  EXPECT_EQ(row->charged.back(), HelloDigest{3});
  const auto again = charged(row, {.refill_interval = 1h, .digest = HelloDigest{7}}, kNow);
  EXPECT_EQ(again.charged, row->charged);
  EXPECT_EQ(again.full_at, row->full_at + 1h);
}

}  // namespace
}  // namespace pake::store
