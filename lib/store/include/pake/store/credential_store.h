// The contract of every store: users, invitations, guesses, devices, the feed of changes, the audit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pake/store/error.h"
#include "pake/store/rows.h"

namespace pake::store {

/// What a login asks, in one query.
struct LoginQuery {
  std::string name;
  BucketKey account{};
  BucketKey source{};
  BucketKey new_rows{};
  std::optional<BucketKey> device{};
};

/// One read of one size for every name: a name without an account (or removed for good) gets the decoy's row, which
/// opens under the key file like any other.
struct LoginRows {
  bool found = false;  // the row is the name's own; its state may still be disabled or removed
  UserRow user{};
  std::optional<BucketRow> account{}, source{}, new_rows{}, device{};
  bool device_is_known = false;  // the device is one of this user's
};

/// What a run by invitation code asks, in one query.
struct CodeQuery {
  std::string selector;
  BucketKey code{};
  BucketKey source{};
  BucketKey new_rows{};
};

struct CodeRows {
  bool found = false;  // otherwise the decoy's rows
  InvitationRow invitation{};
  UserRow user{};  // the one it is for
  std::optional<BucketRow> code{}, source{}, new_rows{};
};

/// A change of one user's row. `row.revision` is one more than the row's that was read (1: a new user). A generation or
/// a state that differs from the stored one goes into the feed, and so does a name that is made anew.
struct UserWrite {
  UserRow row{};
  std::optional<std::string> redeemed_selector{};  // the invitation that ends with this write
};

struct ParameterCount {
  CredentialParameters parameters{};
  UserState state = UserState::enabled;
  std::uint64_t users = 0;
};

struct ExpiryRule {
  std::chrono::milliseconds keep_generation_changes = std::chrono::days(90);
  std::chrono::milliseconds keep_devices = std::chrono::days(90);
  std::uint64_t keep_audit_rows = 1'000'000;
};

struct StoreInfo {
  std::string kind{};   // `sqlite` or `postgresql`
  std::string where{};  // the path, or the URL without its password
  std::uint32_t schema = 0;
  KeyFileId key_file{};
  Time created_at{};
};

/// Blocking; any number of threads may call any function at any time, each waits for a connection of its own. A change
/// that returned a value is on the disk (of the primary) and survives any crash; one that returned an error of the
/// kinds busy to interrupted may or may not have happened. No call waits for ever: the time is the backend's option.
class CredentialStore {
 public:
  CredentialStore() = default;
  CredentialStore(const CredentialStore&) = delete;
  CredentialStore& operator=(const CredentialStore&) = delete;
  virtual ~CredentialStore() = default;

  /// What is known since it was opened; asks nobody.
  [[nodiscard]] virtual const StoreInfo& info() const noexcept = 0;
  /// Whether the store answers now (`/readyz`).
  [[nodiscard]] virtual StoreStatus check() = 0;

  // --- The way of a login.

  [[nodiscard]] virtual StoreResult<LoginRows> read_login(const LoginQuery& query) = 0;
  [[nodiscard]] virtual StoreResult<CodeRows> read_code(const CodeQuery& query) = 0;
  /// Charges all of `charges` in one transaction.
  [[nodiscard]] virtual StoreStatus charge(std::span<const Charge> charges, Time now) = 0;
  /// The rows of buckets, in the order of `keys`.
  [[nodiscard]] virtual StoreResult<std::vector<std::optional<BucketRow>>> read_buckets(
      std::span<const BucketKey> keys) = 0;
  /// Makes buckets full (`pake user unthrottle`).
  [[nodiscard]] virtual StoreStatus clear_buckets(std::span<const BucketKey> keys, const AuditNote& note) = 0;

  // --- Users.

  /// Whatever its state, `removed` included.
  [[nodiscard]] virtual StoreResult<std::optional<UserRow>> find_user(std::string_view name) = 0;
  /// The highest generation of this name that the feed still tells of, 0 if it tells of none: a row that is made anew
  /// begins above it, since nodes and tickets know the name by it.
  [[nodiscard]] virtual StoreResult<std::uint64_t> used_generation(std::string_view name) = 0;
  /// Up to `limit` users in the order of the bytes of their names, behind `after` (empty: from the beginning).
  [[nodiscard]] virtual StoreResult<std::vector<UserRow>> list_users(std::string_view after, std::size_t limit) = 0;
  /// Compare-and-swap on the revision, the end of the invitation, the feed and the audit in one transaction.
  /// exists: a new user, but the name is taken. conflict: the stored revision is not row.revision - 1, or the
  /// generation of a new user is not above used_generation. invitation_gone: no such invitation of this user, or it has
  /// expired at note.at. A row that becomes `removed` loses its invitations and devices.
  [[nodiscard]] virtual StoreStatus write_user(const UserWrite& write, const AuditNote& note) = 0;
  /// Deletes rows that have been `removed` since before `before`: once the window of a migration is over.
  [[nodiscard]] virtual StoreResult<std::uint64_t> purge_removed(Time before) = 0;
  [[nodiscard]] virtual StoreResult<std::vector<ParameterCount>> count_users() = 0;

  // --- Invitations: one a user, a newer one takes the place of an older.

  /// exists: the selector is taken (draw another). not_found: no such user, or removed.
  [[nodiscard]] virtual StoreStatus put_invitation(const InvitationRow& row, const AuditNote& note) = 0;
  [[nodiscard]] virtual StoreResult<std::optional<InvitationRow>> find_invitation_of(std::string_view name) = 0;
  [[nodiscard]] virtual StoreStatus withdraw_invitation(std::string_view name, const AuditNote& note) = 0;

  // --- Known devices: the newest 8 of a user.

  [[nodiscard]] virtual StoreStatus add_device(std::string_view name, const BucketKey& device, Time now) = 0;
  /// The buckets of a user's devices, the newest first.
  [[nodiscard]] virtual StoreResult<std::vector<BucketKey>> devices_of(std::string_view name) = 0;

  // --- The feed of generation changes.

  /// The number of the newest change, 0 before the first.
  [[nodiscard]] virtual StoreResult<std::uint64_t> last_change() = 0;
  /// Up to `limit` changes after `sequence`, in order. A change is never seen before one of a lower number.
  [[nodiscard]] virtual StoreResult<std::vector<GenerationChange>> changes_after(std::uint64_t sequence,
                                                                                 std::size_t limit) = 0;
  /// The changes not older than `since`, in order: what a node reads when it starts.
  [[nodiscard]] virtual StoreResult<std::vector<GenerationChange>> changes_since(Time since, std::size_t limit) = 0;
  /// Returns when something may have changed since the last call (by whatever process or node), or after `timeout`;
  /// says which. For one thread that then reads changes_after; a change is seen within a second.
  [[nodiscard]] virtual StoreResult<bool> wait_for_changes(std::chrono::milliseconds timeout) = 0;
  /// Ends a wait_for_changes, present or next; for shutdown.
  virtual void interrupt_wait() noexcept = 0;

  // --- The fake-share table.

  /// All steps that matter, in order; at least one.
  [[nodiscard]] virtual StoreResult<std::vector<FakeShareStep>> fake_shares() = 0;
  /// conflict: another step of this number is there. misuse: it may not follow the last one (shares.h).
  [[nodiscard]] virtual StoreStatus append_fake_shares(const FakeShareStep& step, const AuditNote& note) = 0;

  // --- Audit and housekeeping.

  /// Writes down what was no change of the store's own.
  [[nodiscard]] virtual StoreStatus audit(const AuditNote& note) = 0;
  /// The newest `limit` rows, the newest first, of one user if `name` is not empty.
  [[nodiscard]] virtual StoreResult<std::vector<AuditRow>> read_audit(std::string_view name, std::size_t limit) = 0;
  /// Deletes what time has made void: full buckets, expired invitations, old devices and changes, the oldest audit
  /// rows. In small transactions; to be called every minute or so.
  [[nodiscard]] virtual StoreStatus expire(const ExpiryRule& rule, Time now) = 0;
};

/// What a new store is filled with, made under the key file it belongs to (sealing.h).
struct StoreSeed {
  KeyFileId key_file{};
  UserRow decoy_user{};              // its name is empty
  InvitationRow decoy_invitation{};  // its selector and name are empty
  FakeShareStep first_shares{};
  Time created_at{};
};

}  // namespace pake::store
