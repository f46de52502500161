#include "simulated_store.h"

#include <algorithm>
#include <utility>

#include "pake/internal/try.h"
#include "pake/store/bucket.h"
#include "pake/store/sealing.h"

namespace pake::server::simulation {

using store::fail;
using store::StoreErrc;
using store::UserState;

void Database::commit_user(const store::UserRow& row) {
  tables.users.insert_or_assign(row.name, row);
  history[row.name].push_back({.at = now(), .row = row});
}

void Database::crash() {
  if (bug == Bug::acknowledge_before_sync) tables = on_disk;
}

namespace {

constexpr std::chrono::milliseconds kAtOnce{300};
constexpr std::size_t kMaxDevices = 8;

std::unexpected<store::StoreError> unreachable() { return fail(StoreErrc::unreachable, "the store is away"); }

std::optional<store::BucketRow> bucket_of(const Tables& tables, const store::BucketKey& key) {
  const auto found = tables.ledger.find(key);
  if (found == tables.ledger.end()) return std::nullopt;
  return found->second;
}

std::uint64_t used_generation_of(const Tables& tables, std::string_view name) {
  std::uint64_t used = 0;
  for (const auto& change : tables.changes)
    if (change.name == name) used = std::max(used, change.generation);
  return used;
}

// The newest first.
std::vector<store::BucketKey> devices_in(const Tables& tables, std::string_view name) {
  std::vector<store::BucketKey> own;
  for (const auto& [key, of] : tables.devices)
    if (of.first == name) own.push_back(key);
  std::ranges::sort(own, std::greater(), [&](const auto& key) { return tables.devices.at(key).second; });
  return own;
}

void announce(Tables& tables, const store::UserRow& row, store::Time at) {
  std::erase_if(tables.devices, [&](const auto& device) { return device.second.first == row.name; });
  tables.changes.push_back({.sequence = tables.changes.empty() ? 1 : tables.changes.back().sequence + 1,
                            .name = row.name,
                            .generation = row.generation,
                            .state = row.state,
                            .at = at});
}

}  // namespace

template <class T>
store::StoreResult<T> SimulatedStore::read(const std::function<store::StoreResult<T>(const Tables&)>& query) {
  switch (fate_(false)) {
    case Fate::lost:
    case Fate::done_unheard:
      return unreachable();
    case Fate::died_before:
    case Fate::died_after:
      throw ProcessDied();
    case Fate::done:
      break;
  }
  return query(database_->tables);
}

store::StoreStatus SimulatedStore::write(const std::function<store::StoreStatus(Tables&)>& change) {
  const auto fate = fate_(true);
  if (fate == Fate::lost) return unreachable();
  if (fate == Fate::died_before) throw ProcessDied();
  const auto changed = change(database_->tables);  // each looks first, and then changes all
  if (database_->bug == Bug::acknowledge_before_sync && ++database_->writes % 4 == 0)
    database_->on_disk = database_->tables;
  if (fate == Fate::died_after) throw ProcessDied();
  if (fate == Fate::done_unheard) return unreachable();
  return changed;
}

store::StoreStatus SimulatedStore::check() { return fate_(false) == Fate::done ? store::StoreStatus() : unreachable(); }

store::StoreResult<store::LoginRows> SimulatedStore::read_login(const store::LoginQuery& query) {
  return read<store::LoginRows>([&](const Tables& tables) -> store::StoreResult<store::LoginRows> {
    const auto& users = database_->bug == Bug::read_from_replica ? database_->replica.users : tables.users;
    const auto found = query.name.empty() ? users.end() : users.find(query.name);
    const auto device = query.device ? tables.devices.find(*query.device) : tables.devices.end();
    return store::LoginRows{.found = found != users.end(),
                            .user = found != users.end() ? found->second : database_->decoy_user,
                            .account = bucket_of(tables, query.account),
                            .source = bucket_of(tables, query.source),
                            .new_rows = bucket_of(tables, query.new_rows),
                            .device = query.device ? bucket_of(tables, *query.device) : std::nullopt,
                            .device_is_known = found != users.end() && device != tables.devices.end() &&
                                               device->second.first == query.name};
  });
}

store::StoreResult<store::CodeRows> SimulatedStore::read_code(const store::CodeQuery& query) {
  return read<store::CodeRows>([&](const Tables& tables) -> store::StoreResult<store::CodeRows> {
    const auto found = query.selector.empty() ? tables.invitations.end() : tables.invitations.find(query.selector);
    const bool is_there = found != tables.invitations.end();
    const auto user = is_there ? tables.users.find(found->second.name) : tables.users.end();
    return store::CodeRows{.found = is_there,
                           .invitation = is_there ? found->second : database_->decoy_invitation,
                           .user = user != tables.users.end() ? user->second : database_->decoy_user,
                           .code = bucket_of(tables, query.code),
                           .source = bucket_of(tables, query.source),
                           .new_rows = bucket_of(tables, query.new_rows)};
  });
}

store::StoreStatus SimulatedStore::charge(std::span<const store::Charge> charges, store::Time now) {
  return write([&](Tables& tables) -> store::StoreStatus {
    for (const auto& one : charges) {
      const auto before = bucket_of(tables, one.key);
      auto& touched = database_->touched[one.key];
      const bool is_lost = database_->bug == Bug::charge_overwrites && database_->now() - touched < kAtOnce;
      touched = database_->now();
      if (!is_lost) tables.ledger[one.key] = store::charged(before, one, now);
      if (!before && one.new_row) {
        const store::Charge maker{.key = one.new_row->key, .refill_interval = one.new_row->refill_interval};
        tables.ledger[maker.key] = store::charged(bucket_of(tables, maker.key), maker, now);
      }
    }
    return {};
  });
}

store::StoreResult<std::vector<std::optional<store::BucketRow>>> SimulatedStore::read_buckets(
    std::span<const store::BucketKey> keys) {
  using Rows = std::vector<std::optional<store::BucketRow>>;
  return read<Rows>([&](const Tables& tables) -> store::StoreResult<Rows> {
    Rows rows;
    for (const auto& key : keys) rows.push_back(bucket_of(tables, key));
    return rows;
  });
}

store::StoreStatus SimulatedStore::clear_buckets(std::span<const store::BucketKey> keys,
                                                 const store::AuditNote& /*note*/) {
  return write([&](Tables& tables) -> store::StoreStatus {
    for (const auto& key : keys) tables.ledger.erase(key);
    ++tables.audited;
    return {};
  });
}

store::StoreResult<std::optional<store::UserRow>> SimulatedStore::find_user(std::string_view name) {
  using Row = std::optional<store::UserRow>;
  return read<Row>([&](const Tables& tables) -> store::StoreResult<Row> {
    const auto found = tables.users.find(name);
    return found == tables.users.end() ? Row() : Row(found->second);
  });
}

store::StoreResult<std::uint64_t> SimulatedStore::used_generation(std::string_view name) {
  return read<std::uint64_t>([&](const Tables& tables) -> store::StoreResult<std::uint64_t> {
    return database_->bug == Bug::reuse_generations ? 0 : used_generation_of(tables, name);
  });
}

store::StoreResult<std::vector<store::UserRow>> SimulatedStore::list_users(std::string_view after, std::size_t limit) {
  using Users = std::vector<store::UserRow>;
  return read<Users>([&](const Tables& tables) -> store::StoreResult<Users> {
    Users users;
    for (auto at = tables.users.upper_bound(after); at != tables.users.end() && users.size() < limit; ++at)
      users.push_back(at->second);
    return users;
  });
}

store::StoreStatus SimulatedStore::write_user(const store::UserWrite& user, const store::AuditNote& note) {
  const auto& row = user.row;
  return write([&](Tables& tables) -> store::StoreStatus {
    const auto found = tables.users.find(row.name);
    bool is_moved = false;
    if (found == tables.users.end()) {
      if (row.revision != 1) return fail(StoreErrc::conflict, "the user was removed meanwhile");
      const auto used = used_generation_of(tables, row.name);
      if (used >= row.generation && database_->bug != Bug::reuse_generations)
        return fail(StoreErrc::conflict, "the name was used meanwhile");
      is_moved = used > 0;
    } else {
      const auto& before = found->second;
      if (row.revision == 1) return fail(StoreErrc::exists, "there is such a user");
      if (row.revision != before.revision + 1 && database_->bug != Bug::no_compare_and_swap)
        return fail(StoreErrc::conflict, "the user was changed meanwhile");
      is_moved = before.generation != row.generation || before.state != row.state;
    }
    if (user.redeemed_selector) {
      const auto invitation = tables.invitations.find(*user.redeemed_selector);
      if (invitation == tables.invitations.end() || invitation->second.name != row.name ||
          invitation->second.expires_at <= note.at)
        return fail(StoreErrc::invitation_gone, "the invitation is used, withdrawn or expired");
    }
    database_->commit_user(row);
    if (is_moved && database_->bug != Bug::change_not_announced) announce(tables, row, note.at);
    if (user.redeemed_selector) tables.invitations.erase(*user.redeemed_selector);
    if (row.state == UserState::removed)
      std::erase_if(tables.invitations, [&](const auto& entry) { return entry.second.name == row.name; });
    ++tables.audited;
    return {};
  });
}

store::StoreResult<std::uint64_t> SimulatedStore::purge_removed(store::Time before) {
  std::uint64_t purged = 0;
  PAKE_TRYV(write([&](Tables& tables) -> store::StoreStatus {
    purged = std::erase_if(tables.users, [&](const auto& entry) {
      return entry.second.state == UserState::removed && entry.second.changed_at < before;
    });
    return {};
  }));
  return purged;
}

store::StoreResult<std::vector<store::ParameterCount>> SimulatedStore::count_users() {
  using Counts = std::vector<store::ParameterCount>;
  return read<Counts>([&](const Tables& tables) -> store::StoreResult<Counts> {
    Counts counts;
    for (const auto& [name, row] : tables.users)
      counts.push_back({.parameters = row.parameters, .state = row.state, .users = 1});
    return counts;
  });
}

store::StoreStatus SimulatedStore::put_invitation(const store::InvitationRow& row, const store::AuditNote& /*note*/) {
  return write([&](Tables& tables) -> store::StoreStatus {
    const auto user = tables.users.find(row.name);
    if (user == tables.users.end() || user->second.state == UserState::removed)
      return fail(StoreErrc::not_found, "there is no such user");
    if (tables.invitations.contains(row.selector)) return fail(StoreErrc::exists, "the selector is taken");
    std::erase_if(tables.invitations, [&](const auto& entry) { return entry.second.name == row.name; });
    tables.invitations.emplace(row.selector, row);
    ++tables.audited;
    return {};
  });
}

store::StoreResult<std::optional<store::InvitationRow>> SimulatedStore::find_invitation_of(std::string_view name) {
  using Row = std::optional<store::InvitationRow>;
  return read<Row>([&](const Tables& tables) -> store::StoreResult<Row> {
    for (const auto& [selector, row] : tables.invitations)
      if (row.name == name) return row;
    return Row();
  });
}

store::StoreStatus SimulatedStore::withdraw_invitation(std::string_view name, const store::AuditNote& /*note*/) {
  return write([&](Tables& tables) -> store::StoreStatus {
    std::erase_if(tables.invitations, [&](const auto& entry) { return entry.second.name == name; });
    return {};
  });
}

store::StoreStatus SimulatedStore::add_device(std::string_view name, const store::BucketKey& device, store::Time now) {
  return write([&](Tables& tables) -> store::StoreStatus {
    const auto user = tables.users.find(name);
    if (user == tables.users.end() || user->second.state == UserState::removed)
      return fail(StoreErrc::not_found, "there is no such user");
    tables.devices.insert_or_assign(device, std::pair(std::string(name), now));
    const auto own = devices_in(tables, name);
    for (std::size_t i = kMaxDevices; i < own.size(); ++i) tables.devices.erase(own[i]);
    return {};
  });
}

store::StoreResult<std::vector<store::BucketKey>> SimulatedStore::devices_of(std::string_view name) {
  using Keys = std::vector<store::BucketKey>;
  return read<Keys>([&](const Tables& tables) -> store::StoreResult<Keys> { return devices_in(tables, name); });
}

store::StoreResult<std::uint64_t> SimulatedStore::last_change() {
  return read<std::uint64_t>([](const Tables& tables) -> store::StoreResult<std::uint64_t> {
    return tables.changes.empty() ? 0 : tables.changes.back().sequence;
  });
}

store::StoreResult<std::vector<store::GenerationChange>> SimulatedStore::changes_after(std::uint64_t sequence,
                                                                                       std::size_t limit) {
  using Changes = std::vector<store::GenerationChange>;
  return read<Changes>([&](const Tables& tables) -> store::StoreResult<Changes> {
    Changes changes;
    // Numbers are given out before the commit: the newest change of somebody else's is not there yet when the next one
    // is, and whoever has read the next one never asks for it again.
    const bool is_hidden = database_->bug == Bug::announce_before_commit && tables.changes.size() % 2 == 0;
    for (std::size_t i = 0; i < tables.changes.size() && changes.size() < limit; ++i)
      if (tables.changes[i].sequence > sequence && !(is_hidden && i + 2 == tables.changes.size()))
        changes.push_back(tables.changes[i]);
    if (database_->bug == Bug::feed_skips_one && changes.size() > 1) changes.erase(changes.begin());
    return changes;
  });
}

store::StoreResult<std::vector<store::GenerationChange>> SimulatedStore::changes_since(store::Time since,
                                                                                       std::size_t limit) {
  using Changes = std::vector<store::GenerationChange>;
  return read<Changes>([&](const Tables& tables) -> store::StoreResult<Changes> {
    Changes changes;
    for (const auto& change : tables.changes)
      if (change.at >= since && changes.size() < limit) changes.push_back(change);
    return changes;
  });
}

store::StoreResult<bool> SimulatedStore::wait_for_changes(std::chrono::milliseconds /*timeout*/) {
  return read<bool>([](const Tables&) -> store::StoreResult<bool> { return true; });
}

store::StoreResult<std::vector<store::FakeShareStep>> SimulatedStore::fake_shares() {
  using Steps = std::vector<store::FakeShareStep>;
  return read<Steps>([](const Tables& tables) -> store::StoreResult<Steps> { return tables.shares; });
}

store::StoreStatus SimulatedStore::append_fake_shares(const store::FakeShareStep& step,
                                                      const store::AuditNote& /*note*/) {
  return write([&](Tables& tables) -> store::StoreStatus {
    tables.shares.push_back(step);
    return {};
  });
}

store::StoreStatus SimulatedStore::audit(const store::AuditNote& /*note*/) {
  return write([&](Tables& tables) -> store::StoreStatus {
    ++tables.audited;
    return {};
  });
}

store::StoreResult<std::vector<store::AuditRow>> SimulatedStore::read_audit(std::string_view /*name*/,
                                                                            std::size_t /*limit*/) {
  return std::vector<store::AuditRow>();
}

store::StoreStatus SimulatedStore::expire(const store::ExpiryRule& rule, store::Time now) {
  return write([&](Tables& tables) -> store::StoreStatus {
    std::erase_if(tables.ledger, [&](const auto& entry) { return entry.second.full_at <= now; });
    std::erase_if(tables.changes, [&](const auto& change) { return change.at < now - rule.keep_generation_changes; });
    std::erase_if(tables.invitations, [&](const auto& entry) { return entry.second.expires_at <= now; });
    return {};
  });
}

}  // namespace pake::server::simulation
