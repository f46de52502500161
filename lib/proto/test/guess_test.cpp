#include "pake/proto/guess.h"

#include <gtest/gtest.h>

#include <optional>
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

}  // namespace
}  // namespace pake
