#include "pake/proto/guess.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pake {
namespace {

TEST(GuessBudget, AnUnusedPermitCostsNothing) {
  GuessBudget budget(1);
  {
    const auto permit = budget.take();
    ASSERT_TRUE(permit);
    EXPECT_EQ(budget.available(), 0U);
    EXPECT_FALSE(budget.take());
  }
  EXPECT_EQ(budget.available(), 1U);
}

TEST(GuessBudget, ASpentPermitStaysSpentUnlessRefunded) {
  GuessBudget budget(2);
  {
    auto permit = budget.take();
    permit->spend();
    permit->spend();
  }
  EXPECT_EQ(budget.available(), 1U);
  {
    auto permit = budget.take();
    permit->refund();  // nothing was spent yet
    permit->spend();
    permit->refund();
    permit->refund();
  }
  EXPECT_EQ(budget.available(), 1U);
}

TEST(GuessBudget, MovingAPermitDoesNotMultiplyIt) {
  GuessBudget budget(2);
  {
    auto first = budget.take();
    first->spend();
    GuessPermit second = std::move(*first);
    auto third = budget.take();
    *third = std::move(second);  // the unused one it held goes back
    EXPECT_EQ(budget.available(), 1U);
    third->refund();
  }
  EXPECT_EQ(budget.available(), 2U);
}

TEST(GuessBudget, PermitsMayOutliveIt) {
  std::optional<GuessPermit> permit;
  {
    GuessBudget budget(1);
    permit.emplace(std::move(*budget.take()));
  }
  permit->spend();
  permit->refund();
  GuessPermit::uncounted_for_study().spend();
}

// --- What an observer hears.

/// Writes down what it is told, and may keep itself for later.
class Slot final : public GuessObserver, public std::enable_shared_from_this<Slot> {
 public:
  Slot(std::vector<std::string>& heard, std::vector<std::shared_ptr<Slot>>& uncommitted)
      : heard_(heard), uncommitted_(uncommitted) {}
  ~Slot() override { heard_.emplace_back("freed"); }
  void spent() noexcept override { heard_.emplace_back("spent"); }
  void ended(GuessOutcome outcome) noexcept override {
    heard_.emplace_back(outcome == GuessOutcome::unused     ? "unused"
                        : outcome == GuessOutcome::verified ? "verified"
                                                            : "failed");
    if (outcome == GuessOutcome::failed) uncommitted_.push_back(shared_from_this());
  }

 private:
  std::vector<std::string>& heard_;
  std::vector<std::shared_ptr<Slot>>& uncommitted_;
};

TEST(GuessObserver, IsToldOneOutcomeOnce) {
  using Heard = std::vector<std::string>;
  const auto heard_of = [](const std::function<void(GuessPermit&)>& use) {
    Heard heard;
    std::vector<std::shared_ptr<Slot>> uncommitted;
    {
      GuessPermit permit(std::make_shared<Slot>(heard, uncommitted));
      use(permit);
    }
    return heard;
  };
  EXPECT_EQ(heard_of([](GuessPermit&) {}), (Heard{"unused", "freed"}));
  EXPECT_EQ(heard_of([](GuessPermit& permit) { permit.refund(); }), (Heard{"unused", "freed"}));
  EXPECT_EQ(heard_of([](GuessPermit& permit) {
              permit.spend();
              permit.spend();
              permit.refund();
              permit.refund();
              permit.spend();
            }),
            (Heard{"spent", "verified", "freed"}));
  EXPECT_EQ(heard_of([](GuessPermit& permit) { const auto taken = std::move(permit); }), (Heard{"unused", "freed"}));
}

// The server's case: the failure is written to a database after the run has gone, and the slot is free after that.
TEST(GuessObserver, MayOutliveItsRunUntilTheFailureIsCommitted) {
  std::vector<std::string> heard;
  std::vector<std::shared_ptr<Slot>> uncommitted;
  GuessPermit(std::make_shared<Slot>(heard, uncommitted)).spend();
  EXPECT_EQ(heard, (std::vector<std::string>{"spent", "failed"}));
  uncommitted.clear();
  EXPECT_EQ(heard.back(), "freed");
}

// --- By name and time.

using std::chrono::hours;
using std::chrono::seconds;
constexpr GuessBuckets::Time kStart{hours{1000}};

void lose(GuessBuckets& buckets, std::string_view name, int guesses, GuessBuckets::Time now) {
  for (int i = 0; i < guesses; ++i) {
    auto permit = buckets.take(as_bytes(name), now);
    ASSERT_TRUE(permit) << name << " " << i;
    permit->spend();
  }
}

TEST(GuessBuckets, HaveABurstANameAndRefillWithTime) {
  GuessBuckets buckets({.burst = 3, .refill = seconds{100}});
  lose(buckets, "alice", 3, kStart);
  EXPECT_EQ(buckets.take(as_bytes("alice"), kStart).error(), Errc::exhausted);
  EXPECT_EQ(buckets.retry_after(as_bytes("alice"), kStart), seconds{100});
  lose(buckets, "bob", 1, kStart);
  EXPECT_EQ(buckets.retry_after(as_bytes("bob"), kStart), seconds{0});
  EXPECT_EQ(buckets.take(as_bytes("alice"), kStart + seconds{99}).error(), Errc::exhausted);
  lose(buckets, "alice", 1, kStart + seconds{100});
  EXPECT_EQ(buckets.take(as_bytes("alice"), kStart + seconds{150}).error(), Errc::exhausted);
  EXPECT_EQ(buckets.retry_after(as_bytes("alice"), kStart + seconds{150}), seconds{50});
  lose(buckets, "alice", 3, kStart + hours{1});
  EXPECT_EQ(buckets.names(), 1U) << "a bucket that is full is not kept";
}

TEST(GuessBuckets, GiveBackWhatVerifiedOrWasNotUsedAndHoldWhatIsOpen) {
  GuessBuckets buckets({.burst = 2, .refill = hours{1}});
  {
    auto first = buckets.take(as_bytes("alice"), kStart);
    const auto second = buckets.take(as_bytes("alice"), kStart);
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(buckets.take(as_bytes("alice"), kStart)) << "runs still open count";
    first->spend();
    first->refund();
    EXPECT_TRUE(buckets.take(as_bytes("alice"), kStart));
  }
  lose(buckets, "alice", 2, kStart);
  EXPECT_FALSE(buckets.take(as_bytes("alice"), kStart));
}

TEST(GuessBuckets, PermitsMayOutliveThem) {
  std::optional<GuessPermit> permit;
  {
    GuessBuckets buckets;
    permit.emplace(std::move(*buckets.take(as_bytes("alice"), kStart)));
  }
  permit->spend();
  permit->refund();
}

// Whoever floods the table with names makes room by what they have themselves spent least on.
TEST(GuessBuckets, AreBoundedAndForgetTheFullestFirst) {
  GuessBuckets buckets({.burst = 3, .refill = hours{1}}, 10);
  lose(buckets, "alice", 3, kStart);
  for (int i = 0; i < 1000; ++i) lose(buckets, "stranger " + std::to_string(i), 1, kStart);
  EXPECT_EQ(buckets.names(), 10U);
  EXPECT_FALSE(buckets.take(as_bytes("alice"), kStart));
}

}  // namespace
}  // namespace pake
