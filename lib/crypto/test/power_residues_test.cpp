#include "pake/crypto/power_residues.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pake/crypto/modular.h"
#include "pake/crypto/rng.h"

namespace pake::crypto {
namespace {

TEST(CubeModulus, IsOfTheSizeThatCTakes) {
  const auto cubes = CubeModulus::generate();
  ASSERT_EQ(cubes.modulus().size(), CubeModulus::kSize);
  EXPECT_TRUE(std::ranges::all_of(cubes.modulus().first(8), [](auto byte) { return byte == 0xff; }));
  EXPECT_EQ(cubes.modulus().back() & 1U, 1U);
}

// Of random numbers one in 6,561 is a cube: of 100 all but a few are none. Of cubes every one is.
TEST(CubeModulus, TellsCubesFromOtherNumbers) {
  const auto cubes = CubeModulus::generate();
  const auto group = ModularGroup::make(cubes.modulus());
  ASSERT_TRUE(group.has_value());
  SystemRng rng;
  const Buffer three = {3};
  int of_random = 0;
  for (int i = 0; i < 100; ++i) {
    Buffer number(CubeModulus::kSize);
    rng.fill(number);
    const auto residue = group->reduce(number);
    if (cubes.is_cube_vartime(residue.reveal())) ++of_random;
    EXPECT_TRUE(cubes.is_cube_vartime(group->power(residue, three).reveal()));
  }
  EXPECT_LT(of_random, 10);
}

}  // namespace
}  // namespace pake::crypto
