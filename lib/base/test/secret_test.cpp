#include "pake/base/secret.h"

#include <gtest/gtest.h>

#include <new>

namespace pake {
namespace {

constexpr std::array<std::uint8_t, 4> kBytes = {1, 2, 3, 4};

TEST(Secret, IsZeroAfterAMove) {
  auto a = Secret<4>::copy_of(kBytes);
  auto b = std::move(a);
  EXPECT_TRUE(ct_equal(b.reveal(), kBytes));
  EXPECT_TRUE(ct_is_zero(a.reveal()));  // NOLINT(bugprone-use-after-move): that is what is tested
  a = std::move(b);
  EXPECT_TRUE(ct_equal(a.reveal(), kBytes));
  EXPECT_TRUE(ct_is_zero(b.reveal()));  // NOLINT(bugprone-use-after-move)
}

TEST(Secret, IsZeroAfterItsEnd) {
  alignas(Secret<4>) std::array<std::uint8_t, sizeof(Secret<4>)> place{};
  auto* secret = new (place.data()) Secret<4>(Secret<4>::copy_of(kBytes));
  EXPECT_TRUE(ct_equal(Bytes(place).first(4), kBytes));
  secret->~Secret();
  EXPECT_TRUE(ct_is_zero(place));
}

TEST(SecretUpTo, KeepsItsSizeAndIsEmptyAfterAMove) {
  auto a = SecretUpTo<8>::copy_of(kBytes);
  EXPECT_EQ(a.size(), 4U);
  const auto b = std::move(a);
  EXPECT_TRUE(ct_equal(b.reveal(), kBytes));
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(SecretBuffer, MovesWithoutCopying) {
  auto a = SecretBuffer::copy_of(kBytes);
  const auto* where = a.reveal().data();
  auto b = std::move(a);
  EXPECT_EQ(b.reveal().data(), where);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move)
  a = SecretBuffer::make(2, [](MutableBytes out) { out[0] = out[1] = 9; });
  b = std::move(a);
  EXPECT_TRUE(ct_equal(b.reveal(), Buffer({9, 9})));
}

}  // namespace
}  // namespace pake
