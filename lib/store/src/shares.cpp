#include "pake/store/shares.h"

#include <algorithm>

namespace pake::store {
namespace {

using Table = std::span<const FakeShare>;

}  // namespace

bool is_valid(const FakeShareStep& step) noexcept { return crypto::is_valid_table(Table(step.shares)); }

const CredentialParameters& parameters_of(const FakeShareStep& step, std::uint32_t draw) noexcept {
  return crypto::parameters_of(Table(step.shares), draw);
}

bool may_follow(const FakeShareStep& last, const FakeShareStep& next) {
  return next.step == last.step + 1 && next.effective_at >= last.effective_at &&
         crypto::moves_no_name_back(Table(last.shares), Table(next.shares));
}

const FakeShareStep& step_at(std::span<const FakeShareStep> steps, Time now) noexcept {
  const auto* current = &steps.front();
  for (const auto& step : steps)
    if (step.effective_at <= now) current = &step;
  return *current;
}

FakeShareStep advanced(const FakeShareStep& last, const CredentialParameters& parameters, std::uint64_t share,
                       Time effective_at) {
  FakeShareStep next = last;
  ++next.step;
  next.effective_at = std::max(effective_at, last.effective_at);
  next.shares = crypto::with_share(std::move(next.shares), parameters, share);
  return next;
}

}  // namespace pake::store
