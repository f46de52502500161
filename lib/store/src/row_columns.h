// What both backends read from a row, column by column in one order, and what they say of a row that may not be
// written. `Row` is a Statement of SQLite or the Rows of PostgreSQL.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "pake/internal/try.h"
#include "pake/store/credential_store.h"
#include "pake/store/shares.h"
#include "row_bytes.h"

namespace pake::store {

inline constexpr std::int64_t kMaxDevices = 8;      // of a user
inline constexpr std::int64_t kExpiryBatch = 1000;  // rows a transaction

[[nodiscard]] inline std::int64_t to_integer(Time time) noexcept { return time.time_since_epoch().count(); }
[[nodiscard]] inline Time to_time(std::int64_t value) noexcept { return Time(std::chrono::milliseconds(value)); }
[[nodiscard]] inline std::int64_t at_most_64_bits(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

template <class Row>
[[nodiscard]] UserRow take_user(Row& row) {
  UserRow user;
  user.name = row.text();
  user.revision = static_cast<std::uint64_t>(row.integer());
  user.generation = static_cast<std::uint64_t>(row.integer());
  user.parameters.epoch = static_cast<std::uint32_t>(row.integer());
  user.parameters.suite = static_cast<std::uint8_t>(row.integer());
  user.parameters.ksf_profile = static_cast<std::uint8_t>(row.integer());
  user.state = static_cast<UserState>(row.integer());
  user.sealed = row.blob();
  user.created_at = to_time(row.integer());
  user.changed_at = to_time(row.integer());
  return user;
}

template <class Row>
[[nodiscard]] InvitationRow take_invitation(Row& row) {
  InvitationRow invitation;
  invitation.selector = row.text();
  invitation.name = row.text();
  invitation.expires_at = to_time(row.integer());
  invitation.sealed = row.blob();
  invitation.created_at = to_time(row.integer());
  return invitation;
}

/// Two columns, full_at and charged, which are NULL together.
template <class Row>
[[nodiscard]] StoreResult<std::optional<BucketRow>> take_bucket(Row& row) {
  if (row.is_null()) {
    row.skip();
    row.skip();
    return std::nullopt;
  }
  BucketRow bucket;
  bucket.full_at = to_time(row.integer());
  PAKE_TRY(bucket.charged, decode_digests(row.blob()));
  return bucket;
}

template <class Row>
[[nodiscard]] StoreResult<BucketKey> take_bucket_key(Row& row) {
  BucketKey key{};
  const auto bytes = row.blob();
  if (bytes.size() != key.size()) return fail_altered("the name of a bucket");
  std::ranges::copy(bytes, key.begin());
  return key;
}

template <class Row>
[[nodiscard]] GenerationChange take_change(Row& row) {
  GenerationChange change;
  change.sequence = static_cast<std::uint64_t>(row.integer());
  change.name = row.text();
  change.generation = static_cast<std::uint64_t>(row.integer());
  change.state = static_cast<UserState>(row.integer());
  change.at = to_time(row.integer());
  return change;
}

template <class Row>
[[nodiscard]] StoreResult<FakeShareStep> take_fake_shares(Row& row) {
  FakeShareStep step;
  step.step = static_cast<std::uint64_t>(row.integer());
  step.effective_at = to_time(row.integer());
  if (row.is_null())
    row.skip();
  else
    step.window_ends = to_time(row.integer());
  PAKE_TRY(step.shares, decode_shares(row.blob()));
  if (!is_valid(step)) return fail_altered("the table of fake shares");
  return step;
}

template <class Row>
[[nodiscard]] ParameterCount take_count(Row& row) {
  ParameterCount count;
  count.parameters.epoch = static_cast<std::uint32_t>(row.integer());
  count.parameters.suite = static_cast<std::uint8_t>(row.integer());
  count.parameters.ksf_profile = static_cast<std::uint8_t>(row.integer());
  count.state = static_cast<UserState>(row.integer());
  count.users = static_cast<std::uint64_t>(row.integer());
  return count;
}

template <class Row>
[[nodiscard]] AuditRow take_audit(Row& row) {
  AuditRow audit;
  audit.id = static_cast<std::uint64_t>(row.integer());
  audit.note.at = to_time(row.integer());
  audit.note.actor = row.text();
  audit.note.action = row.text();
  audit.note.name = row.text();
  audit.note.detail = row.text();
  return audit;
}

/// What is stored of a user whose row is to be replaced.
struct StoredUser {
  std::uint64_t revision = 0, generation = 0;
  UserState state = UserState::enabled;
};
template <class Row>
[[nodiscard]] StoredUser take_stored(Row& row) {
  StoredUser stored;
  stored.revision = static_cast<std::uint64_t>(row.integer());
  stored.generation = static_cast<std::uint64_t>(row.integer());
  stored.state = static_cast<UserState>(row.integer());
  return stored;
}

// --- Rows that may not be written, and why.

/// misuse: not a sealed row of a user.
[[nodiscard]] StoreStatus require_sealed(const UserRow& row);
/// misuse: not a sealed row of an invitation.
[[nodiscard]] StoreStatus require_sealed(const InvitationRow& row);
/// exists or conflict, unless `next` is the revision behind what is stored.
[[nodiscard]] StoreStatus require_next_revision(const StoredUser& stored, const UserRow& next);
/// conflict: a row that is not new, of a user who is not there any more.
[[nodiscard]] std::unexpected<StoreError> fail_removed_meanwhile(std::string_view name);
[[nodiscard]] std::unexpected<StoreError> fail_user_exists(std::string_view name);
[[nodiscard]] std::unexpected<StoreError> fail_no_user(std::string_view name);
[[nodiscard]] std::unexpected<StoreError> fail_no_invitation(std::string_view name);
[[nodiscard]] std::unexpected<StoreError> fail_invitation_gone(std::string_view name);
/// `error`, or if a row of this selector is there, that.
[[nodiscard]] std::unexpected<StoreError> fail_selector(StoreError error, std::string_view selector);

}  // namespace pake::store
