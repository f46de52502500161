// The store in memory: what is committed, what only a crash would lose, and who reaches it. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bug.h"
#include "pake/store/credential_store.h"

namespace pake::server::simulation {

/// What is in the database.
struct Tables {
  std::map<std::string, store::UserRow, std::less<>> users;
  std::map<std::string, store::InvitationRow, std::less<>> invitations;  // by selector
  std::map<store::BucketKey, store::BucketRow> ledger;
  std::map<store::BucketKey, std::pair<std::string, store::Time>> devices;  // of whom, and since when
  std::vector<store::GenerationChange> changes;
  std::vector<store::FakeShareStep> shares;
  std::uint64_t audited = 0;
};

/// What happened to a user's row, in the order of the commits: the truth that the properties are held against.
struct Commit {
  store::Time at;  // by the simulation's clock
  store::UserRow row;
};

/// One database for all nodes.
struct Database {
  Bug bug = Bug::none;
  std::function<store::Time()> now;
  store::StoreInfo info;
  store::UserRow decoy_user;
  store::InvitationRow decoy_invitation;
  Tables tables;
  Tables on_disk;  // differs by what was not synced (only with Bug::acknowledge_before_sync)
  Tables replica;  // the state of a while ago (only with Bug::read_from_replica)
  std::map<std::string, std::vector<Commit>, std::less<>> history;
  std::map<store::BucketKey, store::Time> touched;  // buckets, by when (only with Bug::charge_overwrites)
  std::uint64_t writes = 0;

  void commit_user(const store::UserRow& row);
  /// It stops and starts again.
  void crash();
};

/// The process that called is no more: thrown out of a call, before it took effect or after.
struct ProcessDied {};

/// What becomes of a call.
enum class Fate : std::uint8_t { done, lost, done_unheard, died_before, died_after };

/// The database as one process sees it. `fate` is asked at each call.
class SimulatedStore : public store::CredentialStore {
 public:
  SimulatedStore(std::shared_ptr<Database> database, std::function<Fate(bool is_write)> fate)
      : database_(std::move(database)), fate_(std::move(fate)) {}

  const store::StoreInfo& info() const noexcept override { return database_->info; }
  store::StoreStatus check() override;
  store::StoreResult<store::LoginRows> read_login(const store::LoginQuery& query) override;
  store::StoreResult<store::CodeRows> read_code(const store::CodeQuery& query) override;
  store::StoreStatus charge(std::span<const store::Charge> charges, store::Time now) override;
  store::StoreResult<std::vector<std::optional<store::BucketRow>>> read_buckets(
      std::span<const store::BucketKey> keys) override;
  store::StoreStatus clear_buckets(std::span<const store::BucketKey> keys, const store::AuditNote& note) override;
  store::StoreResult<std::optional<store::UserRow>> find_user(std::string_view name) override;
  store::StoreResult<std::uint64_t> used_generation(std::string_view name) override;
  store::StoreResult<std::vector<store::UserRow>> list_users(std::string_view after, std::size_t limit) override;
  store::StoreStatus write_user(const store::UserWrite& write, const store::AuditNote& note) override;
  store::StoreResult<std::uint64_t> purge_removed(store::Time before) override;
  store::StoreResult<std::vector<store::ParameterCount>> count_users() override;
  store::StoreStatus put_invitation(const store::InvitationRow& row, const store::AuditNote& note) override;
  store::StoreResult<std::optional<store::InvitationRow>> find_invitation_of(std::string_view name) override;
  store::StoreStatus withdraw_invitation(std::string_view name, const store::AuditNote& note) override;
  store::StoreStatus add_device(std::string_view name, const store::BucketKey& device, store::Time now) override;
  store::StoreResult<std::vector<store::BucketKey>> devices_of(std::string_view name) override;
  store::StoreResult<std::uint64_t> last_change() override;
  store::StoreResult<std::vector<store::GenerationChange>> changes_after(std::uint64_t sequence,
                                                                         std::size_t limit) override;
  store::StoreResult<std::vector<store::GenerationChange>> changes_since(store::Time since, std::size_t limit) override;
  store::StoreResult<bool> wait_for_changes(std::chrono::milliseconds timeout) override;
  void interrupt_wait() noexcept override {}
  store::StoreResult<std::vector<store::FakeShareStep>> fake_shares() override;
  store::StoreStatus append_fake_shares(const store::FakeShareStep& step, const store::AuditNote& note) override;
  store::StoreStatus audit(const store::AuditNote& note) override;
  store::StoreResult<std::vector<store::AuditRow>> read_audit(std::string_view name, std::size_t limit) override;
  store::StoreStatus expire(const store::ExpiryRule& rule, store::Time now) override;

 private:
  template <class T>
  store::StoreResult<T> read(const std::function<store::StoreResult<T>(const Tables&)>& query);
  store::StoreStatus write(const std::function<store::StoreStatus(Tables&)>& change);

  std::shared_ptr<Database> database_;
  std::function<Fate(bool)> fate_;
};

}  // namespace pake::server::simulation
