#include "pake/store/migration.h"

#include <algorithm>

#include "pake/internal/try.h"

namespace pake::store {
namespace {

struct Progress {
  std::uint64_t moved = 0, all = 0;
};

StoreResult<Progress> progress_to(CredentialStore& store, const CredentialParameters& current) {
  PAKE_TRY(const auto counts, store.count_users());
  Progress progress;
  for (const auto& count : counts) {
    if (count.state == UserState::removed) continue;
    progress.all += count.users;
    if (count.parameters == current) progress.moved += count.users;
  }
  return progress;
}

}  // namespace

StoreResult<FakeShareStep> activate(CredentialStore& store, const KeyFile& keys, const CredentialParameters& parameters,
                                    std::optional<Time> window_ends, const AuditNote& note) {
  if (keys.find(parameters.epoch, parameters.suite) == nullptr)
    return fail(StoreErrc::key_file_missing,
                "the key file has no keys of epoch " + std::to_string(parameters.epoch) + " in this suite",
                "stage it first (pake keys stage), and bring the file to every node");
  PAKE_TRY(const auto steps, store.fake_shares());
  if (steps.back().shares.back().parameters == parameters)
    return fail(StoreErrc::exists, "epoch " + std::to_string(parameters.epoch) + " is current already");
  auto step = advanced(steps.back(), parameters, 0, note.at + kStepDelay);
  step.window_ends = window_ends;
  PAKE_TRYV(store.append_fake_shares(step, note));
  return step;
}

StoreResult<std::optional<FakeShareStep>> follow_migration(CredentialStore& store, const AuditNote& note) {
  PAKE_TRY(const auto steps, store.fake_shares());
  const auto& last = steps.back();
  const auto& current = last.shares.back();
  if (last.shares.size() == 1 || current.below == kWholeShare || last.effective_at > note.at) return std::nullopt;
  PAKE_TRY(const auto progress, progress_to(store, current.parameters));
  const bool is_over = (last.window_ends && *last.window_ends <= note.at) || progress.moved == progress.all;
  const auto hundredths = is_over ? 100 : progress.moved * 100 / progress.all;
  const auto share = kWholeShare / 100 * hundredths + (hundredths == 100 ? kWholeShare % 100 : 0);
  if (share <= current.below) return std::nullopt;
  const auto step = advanced(last, current.parameters, share, note.at + kStepDelay);
  PAKE_TRYV(store.append_fake_shares(step, note));
  return step;
}

bool may_log_in(const FakeShareStep& step, const CredentialParameters& parameters, Time now) noexcept {
  return step.shares.back().parameters == parameters || !step.window_ends || now < *step.window_ends;
}

StoreResult<KeyStatus> key_status(CredentialStore& store, const KeyFile& keys) {
  PAKE_TRY(const auto steps, store.fake_shares());
  PAKE_TRY(const auto counts, store.count_users());
  KeyStatus status;
  const auto entry = [&](const CredentialParameters& parameters) -> EpochStatus& {
    const auto at = std::ranges::find(status.epochs, parameters, &EpochStatus::parameters);
    if (at != status.epochs.end()) return *at;
    auto& fresh = status.epochs.emplace_back();
    fresh.parameters = parameters;
    if (const auto* found = keys.find(parameters.epoch, parameters.suite); found != nullptr)
      fresh.fingerprint = fingerprint(found->public_key);
    return fresh;
  };
  for (const auto& of_file : keys.epochs()) static_cast<void>(entry(of_file.parameters));
  for (const auto& count : counts)
    if (count.state != UserState::removed) entry(count.parameters).users += count.users;
  entry(steps.back().shares.back().parameters).is_current = true;
  status.window_ends = steps.back().window_ends;
  status.is_complete = std::ranges::none_of(status.epochs, [](const EpochStatus& epoch) {
    return (epoch.is_current || epoch.users != 0) && epoch.fingerprint.empty();
  });
  std::ranges::sort(status.epochs, {}, &EpochStatus::parameters);
  return status;
}

}  // namespace pake::store
