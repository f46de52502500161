// Uses every room that is installed, so that a header or a library missing from the installation shows.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "pake/base/ct.h"
#include "pake/crypto/rng.h"
#include "pake/proto/guess.h"

int main() {
  std::array<std::uint8_t, 32> once{};
  std::array<std::uint8_t, 32> again{};
  pake::crypto::SystemRng rng;
  rng.fill(once);
  rng.fill(again);

  pake::GuessBudget budget(1);
  const auto permit = budget.take();
  const bool one_guess = permit.has_value() && !budget.take().has_value();
  const bool sound = one_guess && pake::ct_equal(once, once) && !pake::ct_equal(once, again);
  std::cout << (sound ? "pake: installed, found, linked\n" : "pake: found, but it does not do its work\n");
  return sound ? EXIT_SUCCESS : EXIT_FAILURE;
}
