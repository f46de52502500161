#include "pake/store/shares.h"

#include <algorithm>
#include <vector>

namespace pake::store {
namespace {

std::size_t entry_of(const FakeShareStep& step, std::uint32_t draw) noexcept {
  for (auto i = step.shares.size(); i-- > 1;)
    if (draw < step.shares[i].below) return i;
  return 0;
}

}  // namespace

bool is_valid(const FakeShareStep& step) noexcept {
  const auto& shares = step.shares;
  if (shares.empty() || shares.size() > kMaxShares || shares.front().below != kWholeShare) return false;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].below > kWholeShare) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (shares[j].parameters == shares[i].parameters) return false;
  }
  return true;
}

const CredentialParameters& parameters_of(const FakeShareStep& step, std::uint32_t draw) noexcept {
  return step.shares[entry_of(step, draw)].parameters;
}

bool may_follow(const FakeShareStep& last, const FakeShareStep& next) {
  if (!is_valid(next) || next.step != last.step + 1 || next.effective_at < last.effective_at) return false;
  // The places of parameters in time: those of `last` in its order, then what is new in `next`.
  std::vector<CredentialParameters> in_time;
  for (const auto& share : last.shares) in_time.push_back(share.parameters);
  const auto place = [&](const CredentialParameters& parameters) {
    return static_cast<std::size_t>(std::ranges::find(in_time, parameters) - in_time.begin());
  };
  std::size_t previous = 0;
  for (const auto& share : next.shares) {
    const auto at = place(share.parameters);
    if (at < previous) return false;
    if (at == in_time.size()) in_time.push_back(share.parameters);
    previous = at;
  }
  // The entry of a draw changes at bounds alone: it is enough to look on either side of each.
  std::vector<std::uint64_t> draws = {0};
  for (const auto* step : {&last, &next})
    for (const auto& share : step->shares) {
      if (share.below > 0) draws.push_back(share.below - 1);
      if (share.below < kWholeShare) draws.push_back(share.below);
    }
  return std::ranges::all_of(draws, [&](std::uint64_t draw) {
    const auto u = static_cast<std::uint32_t>(draw);
    return place(parameters_of(next, u)) >= place(parameters_of(last, u));
  });
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
  auto entry = std::ranges::find(next.shares, parameters, [](const FakeShare& of_next) { return of_next.parameters; });
  if (entry == next.shares.end()) entry = next.shares.insert(entry, FakeShare{.parameters = parameters});
  entry->below = std::max(entry->below, std::min(share, kWholeShare));
  return next;
}

}  // namespace pake::store
