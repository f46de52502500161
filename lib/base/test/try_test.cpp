#include "pake/internal/try.h"

#include <gtest/gtest.h>

#include <memory>

#include "pake/base/result.h"

namespace pake {
namespace {

Result<std::unique_ptr<int>> boxed(Result<int> value) {
  PAKE_TRY(const auto number, value);
  return std::make_unique<int>(number);
}

Status sum(Result<int> a, Result<int> b, int& out) {
  PAKE_TRY(auto first, boxed(a));
  PAKE_TRY(auto second, boxed(b));
  PAKE_TRYV(Status{});
  out = *first + *second;
  return {};
}

TEST(Try, HandsOnTheValueOrTheError) {
  int out = 0;
  EXPECT_TRUE(sum(1, 2, out));
  EXPECT_EQ(out, 3);
  EXPECT_EQ(sum(1, fail(Errc::exhausted), out), Status(fail(Errc::exhausted)));
  EXPECT_EQ(to_string(Errc::exhausted), "exhausted");
}

}  // namespace
}  // namespace pake
