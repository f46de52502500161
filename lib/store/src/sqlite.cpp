#include "pake/store/sqlite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "files.h"
#include "pake/internal/try.h"
#include "pake/store/bucket.h"
#include "row_bytes.h"
#include "row_columns.h"
#include "sqlite_connection.h"

namespace pake::store {
namespace {

constexpr std::int64_t kApplicationId = 0x70616b65;  // "pake"
constexpr std::chrono::milliseconds kPollInterval(200);

// Schema N is reached by the first N of these; what was released is never changed.
// Names are TEXT under the collation BINARY: compared as bytes. Times are milliseconds since 1970.
constexpr std::array<const char*, 2> kMigrations = {
    R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE users(
  name TEXT PRIMARY KEY, revision INTEGER NOT NULL, generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL, suite INTEGER NOT NULL, ksf INTEGER NOT NULL, state INTEGER NOT NULL,
  sealed BLOB NOT NULL, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_state ON users(state, changed_at) WHERE state = 3;
CREATE TABLE invitations(
  selector TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, expires_at INTEGER NOT NULL,
  sealed BLOB NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ledger(
  key BLOB PRIMARY KEY, full_at INTEGER NOT NULL, charged BLOB NOT NULL,
  of_account INTEGER NOT NULL, touched_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_age ON ledger(of_account, touched_at);
CREATE INDEX ledger_by_full ON ledger(full_at);
CREATE TABLE devices(
  key BLOB PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_name ON devices(name, created_at);
CREATE TABLE changes(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, generation INTEGER NOT NULL,
  state INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX changes_by_time ON changes(at);
CREATE TABLE fake_shares(
  step INTEGER PRIMARY KEY, effective_at INTEGER NOT NULL, window_ends INTEGER, shares BLOB NOT NULL) STRICT;
CREATE TABLE audit(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  name TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
CREATE INDEX audit_by_name ON audit(name, id);
INSERT INTO meta VALUES('ledger_rows', 0);
)",
    "CREATE INDEX changes_by_name ON changes(name, generation)",
};
constexpr std::int64_t kSchema = kMigrations.size();

#define PAKE_USER_COLUMNS \
  "u.name, u.revision, u.generation, u.epoch, u.suite, u.ksf, u.state, u.sealed, u.created_at, u.changed_at"

// The name's own row, or the decoy's (x). Both are looked up whatever the name is, so that both take the same time.
constexpr const char* kReadLogin = R"(
SELECT
  coalesce(u.name, x.name), coalesce(u.revision, x.revision),
  coalesce(u.generation, x.generation), coalesce(u.epoch, x.epoch),
  coalesce(u.suite, x.suite), coalesce(u.ksf, x.ksf),
  coalesce(u.state, x.state), coalesce(u.sealed, x.sealed),
  coalesce(u.created_at, x.created_at), coalesce(u.changed_at, x.changed_at),
  a.full_at, a.charged, s.full_at, s.charged, n.full_at, n.charged, d.full_at, d.charged,
  EXISTS(SELECT 1 FROM devices WHERE key = ?4 AND name = coalesce(u.name, ''))
FROM users x
  LEFT JOIN users u ON u.name = ?1
  LEFT JOIN ledger a ON a.key = ?2
  LEFT JOIN ledger s ON s.key = ?3
  LEFT JOIN ledger d ON d.key = ?4
  LEFT JOIN ledger n ON n.key = ?5
WHERE x.name = '')";

// The same for a selector; the decoy's user is the decoy.
constexpr const char* kReadCode = R"(
SELECT
  coalesce(i.selector, x.selector), coalesce(i.name, x.name), coalesce(i.expires_at, x.expires_at),
  coalesce(i.sealed, x.sealed), coalesce(i.created_at, x.created_at),
  )" PAKE_USER_COLUMNS R"(,
  c.full_at, c.charged, s.full_at, s.charged, n.full_at, n.charged
FROM invitations x
  LEFT JOIN invitations i ON i.selector = ?1
  LEFT JOIN users u ON u.name = coalesce(i.name, '')
  LEFT JOIN ledger c ON c.key = ?2
  LEFT JOIN ledger s ON s.key = ?3
  LEFT JOIN ledger n ON n.key = ?4
WHERE x.selector = '')";

StoreStatus insert_user(Connection& connection, const UserRow& row) {
  auto insert = connection.statement("INSERT INTO users VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  insert.bind(row.name)
      .bind(at_most_64_bits(row.revision))
      .bind(at_most_64_bits(row.generation))
      .bind(std::int64_t{row.parameters.epoch})
      .bind(std::int64_t{row.parameters.suite})
      .bind(std::int64_t{row.parameters.ksf_profile})
      .bind(std::int64_t{static_cast<std::uint8_t>(row.state)})
      .bind(row.sealed)
      .bind(to_integer(row.created_at))
      .bind(to_integer(row.changed_at));
  return insert.run();
}

StoreStatus update_user(Connection& connection, const UserRow& row) {
  auto update = connection.statement(
      "UPDATE users SET revision=?2, generation=?3, epoch=?4, suite=?5, ksf=?6, state=?7, sealed=?8, created_at=?9, "
      "changed_at=?10 WHERE name=?1");
  update.bind(row.name)
      .bind(at_most_64_bits(row.revision))
      .bind(at_most_64_bits(row.generation))
      .bind(std::int64_t{row.parameters.epoch})
      .bind(std::int64_t{row.parameters.suite})
      .bind(std::int64_t{row.parameters.ksf_profile})
      .bind(std::int64_t{static_cast<std::uint8_t>(row.state)})
      .bind(row.sealed)
      .bind(to_integer(row.created_at))
      .bind(to_integer(row.changed_at));
  return update.run();
}

StoreStatus insert_invitation(Connection& connection, const InvitationRow& row) {
  auto insert = connection.statement("INSERT INTO invitations VALUES(?1, ?2, ?3, ?4, ?5)");
  insert.bind(row.selector)
      .bind(row.name)
      .bind(to_integer(row.expires_at))
      .bind(row.sealed)
      .bind(to_integer(row.created_at));
  return insert.run();
}

StoreStatus insert_audit(Connection& connection, const AuditNote& note) {
  auto insert = connection.statement("INSERT INTO audit(at, actor, action, name, detail) VALUES(?1, ?2, ?3, ?4, ?5)");
  insert.bind(to_integer(note.at)).bind(note.actor).bind(note.action).bind(note.name).bind(note.detail);
  return insert.run();
}

StoreStatus insert_fake_shares(Connection& connection, const FakeShareStep& step) {
  auto insert = connection.statement("INSERT INTO fake_shares VALUES(?1, ?2, ?3, ?4)");
  const auto shares = encode_shares(step.shares);
  insert.bind(at_most_64_bits(step.step)).bind(to_integer(step.effective_at));
  if (step.window_ends)
    insert.bind(to_integer(*step.window_ends));
  else
    insert.bind_null();
  insert.bind(shares);
  return insert.run();
}

StoreResult<std::vector<FakeShareStep>> select_fake_shares(Connection& connection) {
  auto query = connection.statement(
      "SELECT step, effective_at, window_ends, shares FROM (SELECT * FROM fake_shares ORDER BY step DESC LIMIT 16) "
      "ORDER BY step");
  std::vector<FakeShareStep> steps;
  while (true) {
    PAKE_TRY(const auto row, query.step());
    if (!row) break;
    PAKE_TRY(auto step, take_fake_shares(query));
    steps.push_back(std::move(step));
  }
  if (steps.empty()) return fail_altered("the table of fake shares");
  return steps;
}

/// Deletes rows of the ledger and keeps their number true.
StoreStatus count_ledger_rows(Connection& connection, std::int64_t difference) {
  if (difference == 0) return {};
  auto update = connection.statement("UPDATE meta SET value = value + ?1 WHERE key = 'ledger_rows'");
  update.bind(difference);
  return update.run();
}

class SqliteStore final : public CredentialStore {
 public:
  SqliteStore(SqliteOptions options, std::unique_ptr<Connection> writer, StoreInfo info)
      : options_(std::move(options)), info_(std::move(info)), writer_(std::move(writer)) {}

  StoreStatus open_readers(const Connection::Settings& settings) {
    for (std::size_t i = 0; i < std::max<std::size_t>(options_.readers, 1); ++i) {
      PAKE_TRY(auto reader, Connection::open(settings, Connection::Use::read));
      readers_.push_back(std::move(reader));
    }
    PAKE_TRY(feed_, Connection::open(settings, Connection::Use::read));
    PAKE_TRY(seen_version_, feed_->integer_of("PRAGMA data_version"));
    return {};
  }

  const StoreInfo& info() const noexcept override { return info_; }

  StoreStatus check() override {
    return read([](Connection& connection) -> StoreStatus {
      PAKE_TRYV(connection.integer_of("SELECT count(*) FROM meta WHERE key = 'key_file'"));
      return {};
    });
  }

  StoreResult<LoginRows> read_login(const LoginQuery& query) override {
    return read([&](Connection& connection) -> StoreResult<LoginRows> {
      auto rows = connection.statement(kReadLogin);
      rows.bind(query.name).bind(query.account).bind(query.source);
      if (query.device)
        rows.bind(*query.device);
      else
        rows.bind_null();
      rows.bind(query.new_rows);
      PAKE_TRY(const auto any, rows.step());
      if (!any) return fail_altered("the decoy among the users");
      LoginRows login;
      login.user = take_user(rows);
      login.found = !login.user.name.empty();
      PAKE_TRY(login.account, take_bucket(rows));
      PAKE_TRY(login.source, take_bucket(rows));
      PAKE_TRY(login.new_rows, take_bucket(rows));
      PAKE_TRY(login.device, take_bucket(rows));
      login.device_is_known = rows.integer() != 0 && login.found;
      return login;
    });
  }

  StoreResult<CodeRows> read_code(const CodeQuery& query) override {
    return read([&](Connection& connection) -> StoreResult<CodeRows> {
      auto rows = connection.statement(kReadCode);
      rows.bind(query.selector).bind(query.code).bind(query.source).bind(query.new_rows);
      PAKE_TRY(const auto any, rows.step());
      if (!any) return fail_altered("the decoy among the invitations");
      CodeRows code;
      code.invitation = take_invitation(rows);
      code.found = !code.invitation.selector.empty();
      code.user = take_user(rows);
      PAKE_TRY(code.code, take_bucket(rows));
      PAKE_TRY(code.source, take_bucket(rows));
      PAKE_TRY(code.new_rows, take_bucket(rows));
      return code;
    });
  }

  StoreStatus charge(std::span<const Charge> charges, Time now) override {
    return write([&](Connection& connection) -> StoreStatus {
      for (const auto& one : charges) PAKE_TRYV(charge_one(connection, one, now));
      return {};
    });
  }

  StoreResult<std::vector<std::optional<BucketRow>>> read_buckets(std::span<const BucketKey> keys) override {
    return read([&](Connection& connection) -> StoreResult<std::vector<std::optional<BucketRow>>> {
      std::vector<std::optional<BucketRow>> buckets;
      for (const auto& key : keys) {
        PAKE_TRY(auto bucket, select_bucket(connection, key));
        buckets.push_back(std::move(bucket));
      }
      return buckets;
    });
  }

  StoreStatus clear_buckets(std::span<const BucketKey> keys, const AuditNote& note) override {
    return write([&](Connection& connection) -> StoreStatus {
      for (const auto& key : keys) {
        auto remove = connection.statement("DELETE FROM ledger WHERE key = ?1");
        remove.bind(key);
        PAKE_TRYV(remove.run());
        PAKE_TRYV(count_ledger_rows(connection, -connection.changes()));
      }
      return insert_audit(connection, note);
    });
  }

  StoreResult<std::optional<UserRow>> find_user(std::string_view name) override {
    return read([&](Connection& connection) -> StoreResult<std::optional<UserRow>> {
      auto query = connection.statement("SELECT " PAKE_USER_COLUMNS " FROM users u WHERE name = ?1 AND name <> ''");
      query.bind(name);
      PAKE_TRY(const auto row, query.step());
      if (!row) return std::nullopt;
      return take_user(query);
    });
  }

  StoreResult<std::uint64_t> used_generation(std::string_view name) override {
    return read([&](Connection& connection) { return used_generation(connection, name); });
  }

  StoreResult<std::vector<UserRow>> list_users(std::string_view after, std::size_t limit) override {
    return read([&](Connection& connection) -> StoreResult<std::vector<UserRow>> {
      auto query =
          connection.statement("SELECT " PAKE_USER_COLUMNS " FROM users u WHERE name > ?1 ORDER BY name LIMIT ?2");
      query.bind(after).bind(at_most_64_bits(limit));
      std::vector<UserRow> users;
      while (true) {
        PAKE_TRY(const auto row, query.step());
        if (!row) return users;
        users.push_back(take_user(query));
      }
    });
  }

  StoreStatus write_user(const UserWrite& change, const AuditNote& note) override {
    const auto& row = change.row;
    PAKE_TRYV(require_sealed(row));
    return write([&](Connection& connection) -> StoreStatus {
      PAKE_TRY(const auto moved, put_user(connection, row));
      if (change.redeemed_selector) {
        auto redeem =
            connection.statement("DELETE FROM invitations WHERE selector = ?1 AND name = ?2 AND expires_at > ?3");
        redeem.bind(*change.redeemed_selector).bind(row.name).bind(to_integer(note.at));
        PAKE_TRYV(redeem.run());
        if (connection.changes() != 1) return fail_invitation_gone(row.name);
      }
      if (moved) PAKE_TRYV(announce(connection, row, note.at));
      return insert_audit(connection, note);
    });
  }

  StoreResult<std::uint64_t> purge_removed(Time before) override {
    std::uint64_t purged = 0;
    PAKE_TRYV(write([&](Connection& connection) -> StoreStatus {
      auto remove = connection.statement("DELETE FROM users WHERE state = 3 AND changed_at < ?1");
      remove.bind(to_integer(before));
      PAKE_TRYV(remove.run());
      purged = static_cast<std::uint64_t>(connection.changes());
      return {};
    }));
    return purged;
  }

  StoreResult<std::vector<ParameterCount>> count_users() override {
    return read([&](Connection& connection) -> StoreResult<std::vector<ParameterCount>> {
      auto query = connection.statement(
          "SELECT epoch, suite, ksf, state, count(*) FROM users WHERE name <> '' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, "
          "4");
      std::vector<ParameterCount> counts;
      while (true) {
        PAKE_TRY(const auto row, query.step());
        if (!row) return counts;
        counts.push_back(take_count(query));
      }
    });
  }

  StoreStatus put_invitation(const InvitationRow& row, const AuditNote& note) override {
    PAKE_TRYV(require_sealed(row));
    return write([&](Connection& connection) -> StoreStatus {
      auto user = connection.statement("SELECT 1 FROM users WHERE name = ?1 AND state <> 3");
      user.bind(row.name);
      PAKE_TRY(const auto there, user.step());
      if (!there) return fail_no_user(row.name);
      PAKE_TRYV(delete_invitation_of(connection, row.name));
      if (auto inserted = insert_invitation(connection, row); !inserted)
        return fail_selector(std::move(inserted.error()), row.selector);
      return insert_audit(connection, note);
    });
  }

  StoreResult<std::optional<InvitationRow>> find_invitation_of(std::string_view name) override {
    return read([&](Connection& connection) -> StoreResult<std::optional<InvitationRow>> {
      auto query = connection.statement(
          "SELECT selector, name, expires_at, sealed, created_at FROM invitations WHERE name = ?1 AND name <> ''");
      query.bind(name);
      PAKE_TRY(const auto row, query.step());
      if (!row) return std::nullopt;
      return take_invitation(query);
    });
  }

  StoreStatus withdraw_invitation(std::string_view name, const AuditNote& note) override {
    return write([&](Connection& connection) -> StoreStatus {
      PAKE_TRYV(delete_invitation_of(connection, name));
      if (connection.changes() == 0) return fail_no_invitation(name);
      return insert_audit(connection, note);
    });
  }

  StoreStatus add_device(std::string_view name, const BucketKey& device, Time now) override {
    return write([&](Connection& connection) -> StoreStatus {
      auto user = connection.statement("SELECT 1 FROM users WHERE name = ?1 AND name <> '' AND state <> 3");
      user.bind(name);
      PAKE_TRY(const auto there, user.step());
      if (!there) return fail_no_user(name);
      auto insert = connection.statement("INSERT OR REPLACE INTO devices VALUES(?1, ?2, ?3)");
      insert.bind(device).bind(name).bind(to_integer(now));
      PAKE_TRYV(insert.run());
      auto remove = connection.statement(
          "DELETE FROM devices WHERE name = ?1 AND key NOT IN "
          "(SELECT key FROM devices WHERE name = ?1 ORDER BY created_at DESC, key = ?3 DESC LIMIT ?2)");
      remove.bind(name).bind(kMaxDevices).bind(device);
      return remove.run();
    });
  }

  StoreResult<std::vector<BucketKey>> devices_of(std::string_view name) override {
    return read([&](Connection& connection) -> StoreResult<std::vector<BucketKey>> {
      auto query = connection.statement("SELECT key FROM devices WHERE name = ?1 ORDER BY created_at DESC");
      query.bind(name);
      std::vector<BucketKey> devices;
      while (true) {
        PAKE_TRY(const auto row, query.step());
        if (!row) return devices;
        PAKE_TRY(const auto key, take_bucket_key(query));
        devices.push_back(key);
      }
    });
  }

  StoreResult<std::uint64_t> last_change() override {
    return read([](Connection& connection) -> StoreResult<std::uint64_t> {
      PAKE_TRY(const auto sequence, connection.integer_of("SELECT seq FROM sqlite_sequence WHERE name = 'changes'"));
      return static_cast<std::uint64_t>(sequence);
    });
  }

  StoreResult<std::vector<GenerationChange>> changes_after(std::uint64_t sequence, std::size_t limit) override {
    return select_changes(
        "SELECT sequence, name, generation, state, at FROM changes WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
        at_most_64_bits(sequence), limit);
  }

  StoreResult<std::vector<GenerationChange>> changes_since(Time since, std::size_t limit) override {
    return select_changes(
        "SELECT sequence, name, generation, state, at FROM changes WHERE at >= ?1 ORDER BY sequence LIMIT ?2",
        to_integer(since), limit);
  }

  // SQLite tells a connection that another one has committed: PRAGMA data_version, two page reads of shared memory.
  StoreResult<bool> wait_for_changes(std::chrono::milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::unique_lock lock(feed_mutex_);
    while (true) {
      PAKE_TRY(const auto version, feed_->integer_of("PRAGMA data_version"));
      if (version != std::exchange(seen_version_, version)) return true;
      const auto now = std::chrono::steady_clock::now();
      const auto until = std::min(deadline, now + kPollInterval);
      if (feed_signal_.wait_until(lock, until, [&] { return interrupted_; })) {
        interrupted_ = false;
        return fail(StoreErrc::interrupted, "the wait for changes was interrupted");
      }
      if (std::chrono::steady_clock::now() >= deadline) return false;
    }
  }

  void interrupt_wait() noexcept override {
    const std::scoped_lock lock(feed_mutex_);
    interrupted_ = true;
    feed_signal_.notify_all();
  }

  StoreResult<std::vector<FakeShareStep>> fake_shares() override {
    return read([](Connection& connection) { return select_fake_shares(connection); });
  }

  StoreStatus append_fake_shares(const FakeShareStep& step, const AuditNote& note) override {
    return write([&](Connection& connection) -> StoreStatus {
      PAKE_TRY(const auto steps, select_fake_shares(connection));
      PAKE_TRYV(require_next_step(steps.back(), step));
      PAKE_TRYV(insert_fake_shares(connection, step));
      return insert_audit(connection, note);
    });
  }

  StoreStatus audit(const AuditNote& note) override {
    return write([&](Connection& connection) { return insert_audit(connection, note); });
  }

  StoreResult<std::vector<AuditRow>> read_audit(std::string_view name, std::size_t limit) override {
    return read([&](Connection& connection) -> StoreResult<std::vector<AuditRow>> {
      auto query = name.empty() ? connection.statement(
                                      "SELECT id, at, actor, action, name, detail FROM audit "
                                      "ORDER BY id DESC LIMIT ?1")
                                : connection.statement(
                                      "SELECT id, at, actor, action, name, detail FROM audit "
                                      "WHERE name = ?2 ORDER BY id DESC LIMIT ?1");
      query.bind(at_most_64_bits(limit));
      if (!name.empty()) query.bind(name);
      std::vector<AuditRow> rows;
      while (true) {
        PAKE_TRY(const auto any, query.step());
        if (!any) return rows;
        rows.push_back(take_audit(query));
      }
    });
  }

  StoreStatus expire(const ExpiryRule& rule, Time now) override {
    PAKE_TRYV(expire_by("DELETE FROM ledger WHERE key IN (SELECT key FROM ledger WHERE full_at <= ?1 LIMIT ?2)",
                        to_integer(now), true));
    PAKE_TRYV(
        expire_by("DELETE FROM invitations WHERE selector IN "
                  "(SELECT selector FROM invitations WHERE expires_at <= ?1 AND selector <> '' LIMIT ?2)",
                  to_integer(now)));
    PAKE_TRYV(expire_by("DELETE FROM devices WHERE key IN (SELECT key FROM devices WHERE created_at < ?1 LIMIT ?2)",
                        to_integer(now - rule.keep_devices)));
    PAKE_TRYV(expire_by("DELETE FROM changes WHERE sequence IN (SELECT sequence FROM changes WHERE at < ?1 LIMIT ?2)",
                        to_integer(now - rule.keep_generation_changes)));
    return expire_by(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id <= "
        "(SELECT max(id) FROM audit) - ?1 LIMIT ?2)",
        at_most_64_bits(rule.keep_audit_rows));
  }

 private:
  /// Runs `use` on a reader; waits for one that is free.
  template <class Use>
  auto read(Use&& use) -> std::invoke_result_t<Use, Connection&> {
    std::unique_ptr<Connection> reader;
    {
      std::unique_lock lock(readers_mutex_);
      if (!reader_free_.wait_for(lock, options_.timeout, [&] { return !readers_.empty(); }))
        return fail(StoreErrc::busy, "the store " + info_.where + " is busy: every reader is taken",
                    "try again; more readers serve more at once");
      reader = std::move(readers_.back());
      readers_.pop_back();
    }
    auto result = std::forward<Use>(use)(*reader);
    {
      const std::scoped_lock lock(readers_mutex_);
      readers_.push_back(std::move(reader));
    }
    reader_free_.notify_one();
    return result;
  }

  /// Runs `use` in a transaction and commits it, or undoes it if anything fails.
  template <class Use>
  StoreStatus write(Use&& use) {
    std::unique_lock lock(writer_mutex_, options_.timeout);
    if (!lock)
      return fail(StoreErrc::busy, "the store " + info_.where + " is busy: too many changes wait", "try again");
    PAKE_TRYV(writer_->execute("BEGIN IMMEDIATE"));
    auto result = std::forward<Use>(use)(*writer_);
    if (result) result = writer_->execute("COMMIT");
    if (writer_->in_transaction()) static_cast<void>(writer_->execute("ROLLBACK"));
    return result;
  }

  static StoreResult<std::optional<BucketRow>> select_bucket(Connection& connection, const BucketKey& key) {
    auto query = connection.statement("SELECT full_at, charged FROM ledger WHERE key = ?1");
    query.bind(key);
    PAKE_TRY(const auto row, query.step());
    if (!row) return std::nullopt;
    return take_bucket(query);
  }

  StoreStatus charge_one(Connection& connection, const Charge& charge, Time now) {
    PAKE_TRY(const auto before, select_bucket(connection, charge.key));
    const auto after = charged(before, charge, now);
    const auto digests = encode_digests(after.charged);
    {
      auto upsert = connection.statement(
          "INSERT INTO ledger VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(key) DO UPDATE SET full_at = excluded.full_at, "
          "charged = excluded.charged, of_account = excluded.of_account, touched_at = excluded.touched_at");
      upsert.bind(charge.key)
          .bind(to_integer(after.full_at))
          .bind(digests)
          .bind(std::int64_t{charge.of_an_account ? 1 : 0})
          .bind(to_integer(now));
      PAKE_TRYV(upsert.run());
    }
    if (before) return {};
    if (charge.new_row)
      PAKE_TRYV(charge_one(connection, {.key = charge.new_row->key, .refill_interval = charge.new_row->refill_interval},
                           now));
    PAKE_TRYV(count_ledger_rows(connection, 1));
    PAKE_TRY(const auto rows, connection.integer_of("SELECT value FROM meta WHERE key = 'ledger_rows'"));
    const auto excess = rows - at_most_64_bits(options_.max_ledger_rows);
    if (excess <= 0) return {};
    auto evict = connection.statement(
        "DELETE FROM ledger WHERE key IN (SELECT key FROM ledger ORDER BY of_account, touched_at LIMIT ?1)");
    evict.bind(excess);
    PAKE_TRYV(evict.run());
    return count_ledger_rows(connection, -connection.changes());
  }

  /// The highest generation of a name among the changes that are kept, 0 if there is none.
  static StoreResult<std::uint64_t> used_generation(Connection& connection, std::string_view name) {
    auto query = connection.statement("SELECT coalesce(max(generation), 0) FROM changes WHERE name = ?1");
    query.bind(name);
    PAKE_TRYV(query.step());
    return static_cast<std::uint64_t>(query.integer());
  }

  /// Inserts or replaces under compare-and-swap; says whether it goes into the feed.
  static StoreResult<bool> put_user(Connection& connection, const UserRow& row) {
    auto query = connection.statement("SELECT revision, generation, state FROM users WHERE name = ?1");
    query.bind(row.name);
    PAKE_TRY(const auto there, query.step());
    if (!there && row.revision != 1) return fail_removed_meanwhile(row.name);
    if (!there) {
      PAKE_TRY(const auto used, used_generation(connection, row.name));
      if (used >= row.generation) return fail_used_generation(row.name);
      PAKE_TRYV(insert_user(connection, row));
      return used > 0;  // a name that is made anew: the nodes know it as removed
    }
    const auto stored = take_stored(query);
    PAKE_TRYV(require_next_revision(stored, row));
    PAKE_TRYV(update_user(connection, row));
    return stored.generation != row.generation || stored.state != row.state;
  }

  static StoreStatus announce(Connection& connection, const UserRow& row, Time at) {
    auto insert = connection.statement("INSERT INTO changes(name, generation, state, at) VALUES(?1, ?2, ?3, ?4)");
    insert.bind(row.name)
        .bind(at_most_64_bits(row.generation))
        .bind(std::int64_t{static_cast<std::uint8_t>(row.state)})
        .bind(to_integer(at));
    PAKE_TRYV(insert.run());
    // A device's ticket names the generation: the new one makes all of them void.
    auto devices = connection.statement("DELETE FROM devices WHERE name = ?1");
    devices.bind(row.name);
    PAKE_TRYV(devices.run());
    if (row.state == UserState::removed) return delete_invitation_of(connection, row.name);
    return {};
  }

  static StoreStatus delete_invitation_of(Connection& connection, std::string_view name) {
    auto remove = connection.statement("DELETE FROM invitations WHERE name = ?1 AND name <> ''");
    remove.bind(name);
    return remove.run();
  }

  StoreResult<std::vector<GenerationChange>> select_changes(const char* sql, std::int64_t from, std::size_t limit) {
    return read([&](Connection& connection) -> StoreResult<std::vector<GenerationChange>> {
      auto query = connection.statement(sql);
      query.bind(from).bind(at_most_64_bits(limit));
      std::vector<GenerationChange> changes;
      while (true) {
        PAKE_TRY(const auto row, query.step());
        if (!row) return changes;
        changes.push_back(take_change(query));
      }
    });
  }

  /// Deletes in batches, a transaction each, so that nobody waits long for the lock.
  StoreStatus expire_by(const char* sql, std::int64_t bound, bool of_ledger = false) {
    std::int64_t deleted = 0;
    do {
      PAKE_TRYV(write([&](Connection& connection) -> StoreStatus {
        auto remove = connection.statement(sql);
        remove.bind(bound).bind(kExpiryBatch);
        PAKE_TRYV(remove.run());
        deleted = connection.changes();
        if (of_ledger) return count_ledger_rows(connection, -deleted);
        return {};
      }));
    } while (deleted == kExpiryBatch);
    return {};
  }

  SqliteOptions options_;
  StoreInfo info_;

  std::timed_mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;

  std::mutex readers_mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<Connection>> readers_;

  std::mutex feed_mutex_;
  std::condition_variable feed_signal_;
  std::unique_ptr<Connection> feed_;
  std::int64_t seen_version_ = 0;
  bool interrupted_ = false;
};

/// What stands at the path before SQLite sees it, so that a mistake is called by its name.
StoreStatus look_at_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && (errno == ENOENT || errno == ENOTDIR))
    return fail(StoreErrc::missing, "there is no store " + path.string(),
                "check the path; the first start of `pake serve` makes it");
  if (!file) return fail_by_errno(errno, "open the store " + path.string());
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_by_errno(errno, "look at the store " + path.string());
  if (!S_ISREG(status.st_mode))
    return fail(StoreErrc::not_a_store, "the store " + path.string() + " is not a regular file", "name a file");
  if (status.st_size == 0)
    return fail(StoreErrc::missing, "the store " + path.string() + " is empty",
                "restore it from a backup, or remove it");
  std::array<char, 16> magic{};
  const auto got = ::pread(file.get(), magic.data(), magic.size(), 0);
  if (got < 0) return fail_by_errno(errno, "read the store " + path.string());
  const std::string_view start(magic.data(), static_cast<std::size_t>(got));
  if (start.starts_with("pakekeys"))
    return fail(StoreErrc::not_a_store, path.string() + " is a key file: store and key file are swapped",
                "the key file and the store are two files; name each in its place");
  if (start != std::string_view("SQLite format 3\0", 16))
    return fail(StoreErrc::not_a_store, path.string() + " is no SQLite database",
                "name the file that the first start of `pake serve` made (pake.db)");
  return {};
}

Connection::Settings settings_of(const SqliteOptions& options) {
  return {.path = options.path, .vfs = options.vfs, .timeout = options.timeout};
}

StoreStatus migrate(Connection& connection, std::int64_t from) {
  for (auto at = static_cast<std::size_t>(from); at < kMigrations.size(); ++at)
    PAKE_TRYV(connection.execute(kMigrations[at]));
  return connection.execute(("PRAGMA user_version=" + std::to_string(kSchema)).c_str());
}

StoreStatus fill(Connection& connection, const StoreSeed& seed) {
  PAKE_TRYV(migrate(connection, 0));
  PAKE_TRYV(connection.execute(("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str()));
  {
    auto insert = connection.statement("INSERT INTO meta VALUES('key_file', ?1), ('created_at', ?2)");
    insert.bind(seed.key_file).bind(to_integer(seed.created_at));
    PAKE_TRYV(insert.run());
  }
  PAKE_TRYV(insert_user(connection, seed.decoy_user));
  PAKE_TRYV(insert_invitation(connection, seed.decoy_invitation));
  return insert_fake_shares(connection, seed.first_shares);
}

template <class Use>
StoreStatus in_transaction(Connection& connection, Use&& use) {
  PAKE_TRYV(connection.execute("BEGIN IMMEDIATE"));
  auto result = std::forward<Use>(use)();
  if (result) result = connection.execute("COMMIT");
  if (connection.in_transaction()) static_cast<void>(connection.execute("ROLLBACK"));
  return result;
}

StoreStatus use_wal(Connection& connection, const std::filesystem::path& path) {
  auto pragma = connection.statement("PRAGMA journal_mode=WAL");
  PAKE_TRY(const auto row, pragma.step());
  if (!row || pragma.text() != "wal")
    return fail(StoreErrc::io, "the store " + path.string() + " lies where SQLite's write-ahead log does not work",
                "put it on a local file system, not on one of the network");
  return {};
}

StoreResult<StoreInfo> read_info(Connection& connection, const std::filesystem::path& path) {
  StoreInfo info{.kind = "sqlite", .where = path.string(), .schema = static_cast<std::uint32_t>(kSchema)};
  auto query = connection.statement(
      "SELECT (SELECT value FROM meta WHERE key = 'key_file'), "
      "(SELECT value FROM meta WHERE key = 'created_at')");
  PAKE_TRYV(query.step());
  const auto id = query.blob();
  if (id.size() != info.key_file.size()) return fail_altered("the id of the key file");
  std::ranges::copy(id, info.key_file.begin());
  info.created_at = to_time(query.integer());
  return info;
}

StoreResult<std::unique_ptr<CredentialStore>> finish_opening(const SqliteOptions& options,
                                                             std::unique_ptr<Connection> writer) {
  PAKE_TRY(auto info, read_info(*writer, options.path));
  auto store = std::make_unique<SqliteStore>(options, std::move(writer), std::move(info));
  PAKE_TRYV(store->open_readers(settings_of(options)));
  return store;
}

}  // namespace

StoreResult<std::unique_ptr<CredentialStore>> open_sqlite(const SqliteOptions& options) {
  PAKE_TRYV(look_at_file(options.path));
  PAKE_TRY(auto writer, Connection::open(settings_of(options), Connection::Use::write));
  PAKE_TRY(const auto application, writer->integer_of("PRAGMA application_id"));
  PAKE_TRY(const auto schema, writer->integer_of("PRAGMA user_version"));
  if (application == 0 && schema == 0) {
    PAKE_TRY(const auto tables, writer->integer_of("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0)  // a first start that was killed
      return fail(StoreErrc::missing, "the store " + options.path.string() + " is empty",
                  "restore it from a backup, or remove it");
  }
  if (application != kApplicationId)
    return fail(StoreErrc::not_a_store, options.path.string() + " is the database of another program",
                "name the file that the first start of `pake serve` made (pake.db)");
  if (schema > kSchema)
    return fail(StoreErrc::newer_schema,
                "the store " + options.path.string() + " has schema " + std::to_string(schema) + "; this pake knows " +
                    std::to_string(kSchema),
                "it was written by a newer pake: upgrade this one, or restore a backup from before");
  PAKE_TRYV(use_wal(*writer, options.path));
  if (schema < kSchema)
    PAKE_TRYV(in_transaction(*writer, [&]() -> StoreStatus {
      PAKE_TRY(const auto now, writer->integer_of("PRAGMA user_version"));  // somebody else may have done it
      return migrate(*writer, now);
    }));
  return finish_opening(options, std::move(writer));
}

StoreResult<std::unique_ptr<CredentialStore>> create_sqlite(const SqliteOptions& options, const StoreSeed& seed) {
  {
    const Descriptor file(::open(options.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file) return fail_by_errno(errno, "create the store " + options.path.string());
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return fail_by_errno(errno, "look at the store " + options.path.string());
    if (status.st_size == 0 && ::fchmod(file.get(), 0600) != 0)
      return fail_by_errno(errno, "close the store " + options.path.string() + " to others");
  }
  PAKE_TRYV(sync_directory_of(options.path));
  PAKE_TRY(auto writer, Connection::open(settings_of(options), Connection::Use::write));
  const auto exists = [&] {
    return fail(StoreErrc::exists, "there is a database " + options.path.string() + " already",
                "open it, or move it away");
  };
  PAKE_TRY(const auto tables, writer->integer_of("SELECT count(*) FROM sqlite_schema"));
  if (tables != 0) return exists();
  PAKE_TRYV(use_wal(*writer, options.path));
  PAKE_TRYV(in_transaction(*writer, [&]() -> StoreStatus {
    PAKE_TRY(const auto now, writer->integer_of("SELECT count(*) FROM sqlite_schema /* in the transaction */"));
    if (now != 0) return exists();
    return fill(*writer, seed);
  }));
  return finish_opening(options, std::move(writer));
}

StoreStatus back_up_sqlite(const std::filesystem::path& path, const std::filesystem::path& to) {
  PAKE_TRYV(look_at_file(path));
  PAKE_TRY(const auto connection,
           Connection::open({.path = path, .vfs = {}, .timeout = std::chrono::seconds(5)}, Connection::Use::write));
  const Descriptor copy(::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!copy) return fail_by_errno(errno, "create the copy " + to.string());
  auto vacuum = connection->statement("VACUUM INTO ?1");
  const auto target = to.string();
  vacuum.bind(target);
  if (auto made = vacuum.run(); !made) {
    ::unlink(to.c_str());
    return made;
  }
  if (::fsync(copy.get()) != 0) return fail_by_errno(errno, "sync the copy " + to.string());
  return sync_directory_of(to);
}

}  // namespace pake::store
