#include "pake/testing/fixed_rng.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace pake::testing {

void FixedRng::fill(MutableBytes out) {
  if (out.size() > remaining()) {
    std::fprintf(stderr, "FixedRng: %zu bytes asked for, %zu left\n", out.size(), remaining());
    std::abort();
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), out.size(), out.begin());
  used_ += out.size();
}

void SeededRng::fill(MutableBytes out) {
  for (auto& byte : out) {  // SplitMix64, one byte a step: speed does not matter here
    state_ += 0x9e3779b97f4a7c15U;
    auto z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    byte = static_cast<std::uint8_t>((z ^ (z >> 31U)) >> 56U);
  }
}

}  // namespace pake::testing
