#include "pake/base/ct.h"

#include <gtest/gtest.h>

#include <array>

namespace pake {
namespace {

TEST(CtEqual, ComparesLengthAndEveryByte) {
  const Buffer a = {1, 2, 3, 4};
  EXPECT_TRUE(ct_equal(a, Buffer({1, 2, 3, 4})));
  EXPECT_TRUE(ct_equal({}, {}));
  EXPECT_FALSE(ct_equal(a, Buffer({1, 2, 3})));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto b = a;
      b[i] = static_cast<std::uint8_t>(b[i] ^ (1U << bit));
      EXPECT_FALSE(ct_equal(a, b)) << i << "." << bit;
    }
}

TEST(CtIsZero, SeesEveryBit) {
  Buffer bytes(5, 0);
  EXPECT_TRUE(ct_is_zero(bytes));
  EXPECT_TRUE(ct_is_zero({}));
  for (auto& byte : bytes)
    for (unsigned bit = 0; bit < 8; ++bit) {
      byte = static_cast<std::uint8_t>(1U << bit);
      EXPECT_FALSE(ct_is_zero(bytes));
      byte = 0;
    }
}

TEST(Wipe, ZeroesEverything) {
  std::array<std::uint8_t, 33> bytes{};
  bytes.fill(0xa5);
  wipe(bytes);
  EXPECT_TRUE(ct_is_zero(bytes));
  wipe({});
}

}  // namespace
}  // namespace pake
