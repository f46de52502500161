// The sums of a bucket of guesses. Its row is one time: when it will be full again.
//
// A bucket of `burst` guesses refills one guess each `refill_interval`. Charging a guess moves `full_at` one interval
// further, from now at least: full_at = max(full_at, now) + refill_interval. So charges commute, a bucket that is full
// needs no row, and no row has to be touched as time passes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "pake/store/rows.h"

namespace pake::store {

struct BucketRule {
  std::uint32_t burst = 10;
  std::chrono::milliseconds refill_interval = std::chrono::hours(1);  // per guess
};

/// The guesses left at `now`; negative when several nodes have charged more than there was.
[[nodiscard]] std::int64_t guesses_left(const BucketRule& rule, const std::optional<BucketRow>& row, Time now) noexcept;

/// How long until `wanted` guesses are left, or zero. `wanted` is at most the burst.
[[nodiscard]] std::chrono::milliseconds wait_until_left(const BucketRule& rule, const std::optional<BucketRow>& row,
                                                        std::uint32_t wanted, Time now) noexcept;

/// The row after `charge` at `now`: what every backend computes. A digest that is there already stays where it is: a
/// charge whose answer was lost is made again, and must not push another hello out.
[[nodiscard]] BucketRow charged(const std::optional<BucketRow>& row, const Charge& charge, Time now);

}  // namespace pake::store
