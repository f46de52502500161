#include "pake/store/bucket.h"

namespace pake::store {
namespace {

std::chrono::milliseconds missing(const std::optional<BucketRow>& row, Time now) noexcept {
  return row && row->full_at > now ? row->full_at - now : std::chrono::milliseconds(0);
}

}  // namespace

std::int64_t guesses_left(const BucketRule& rule, const std::optional<BucketRow>& row, Time now) noexcept {
  const auto interval = std::max<std::int64_t>(rule.refill_interval.count(), 1);
  // A guess that is not wholly refilled is not there: rounded up.
  const auto missing_time = missing(row, now).count();
  const auto spent = missing_time / interval + (missing_time % interval != 0 ? 1 : 0);
  return std::int64_t{rule.burst} - spent;
}

std::chrono::milliseconds wait_until_left(const BucketRule& rule, const std::optional<BucketRow>& row,
                                          std::uint32_t wanted, Time now) noexcept {
  const auto allowed = rule.refill_interval * (rule.burst - std::min(wanted, rule.burst));
  return std::max(missing(row, now) - allowed, std::chrono::milliseconds(0));
}

BucketRow charged(const std::optional<BucketRow>& row, const Charge& charge, Time now) {
  auto after = row.value_or(BucketRow{});
  after.full_at = std::max(after.full_at, now) + charge.refill_interval;
  if (charge.digest && std::ranges::find(after.charged, *charge.digest) == after.charged.end()) {
    after.charged.insert(after.charged.begin(), *charge.digest);
    if (after.charged.size() > kMaxBucketDigests) after.charged.resize(kMaxBucketDigests);
  }
  return after;
}

}  // namespace pake::store
