// Private to the lanes' translation units: the bounds that the arithmetic argues with are asserted in debug builds.
// (Not where secrets are taken for undefined: a comparison would be reported.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

#if defined(NDEBUG) || defined(PAKE_CT)
constexpr bool kBoundsAreAsserted = false;
#else
constexpr bool kBoundsAreAsserted = true;
#endif

inline void require(bool holds) {
  if (kBoundsAreAsserted && !holds) std::abort();
}

/// Every 64-bit lane, taken as unsigned.
template <class Vector>
inline void require_below(const Vector& x, std::uint64_t bound) {
  if constexpr (kBoundsAreAsserted) {
    std::uint64_t lanes[sizeof x / sizeof(std::uint64_t)];
    __builtin_memcpy(lanes, &x, sizeof x);
    for (const auto lane : lanes) require(lane < bound);
  }
}

}  // namespace
