#include "pake/store/postgresql.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <type_traits>
#include <utility>

#include "files.h"
#include "pake/internal/try.h"
#include "postgresql_connection.h"
#include "row_bytes.h"
#include "row_columns.h"

namespace pake::store {
namespace {

constexpr std::chrono::milliseconds kPollInterval(1000);
constexpr std::chrono::milliseconds kPauseAfterFailure(500);

// Schema N is reached by the first N of these; what was released is never changed.
// Names are BYTEA: any bytes are a name, compared as bytes. Times are milliseconds since 1970.
constexpr std::array<const char*, 2> kMigrations = {
    R"(
CREATE TABLE pake_meta(
  only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row), schema BIGINT NOT NULL,
  key_file BYTEA NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE pake_counters(name TEXT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO pake_counters VALUES('changes', 0), ('ledger_rows', 0);
CREATE TABLE pake_users(
  name BYTEA PRIMARY KEY, revision BIGINT NOT NULL, generation BIGINT NOT NULL,
  epoch BIGINT NOT NULL, suite BIGINT NOT NULL, ksf BIGINT NOT NULL, state BIGINT NOT NULL,
  sealed BYTEA NOT NULL, created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL);
CREATE INDEX ON pake_users(changed_at) WHERE state = 3;
CREATE TABLE pake_invitations(
  selector BYTEA PRIMARY KEY, name BYTEA NOT NULL UNIQUE, expires_at BIGINT NOT NULL,
  sealed BYTEA NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE pake_ledger(
  key BYTEA PRIMARY KEY, full_at BIGINT NOT NULL, charged BYTEA NOT NULL,
  of_account BIGINT NOT NULL, touched_at BIGINT NOT NULL);
CREATE INDEX ON pake_ledger(of_account, touched_at);
CREATE INDEX ON pake_ledger(full_at);
CREATE TABLE pake_devices(key BYTEA PRIMARY KEY, name BYTEA NOT NULL, created_at BIGINT NOT NULL);
CREATE INDEX ON pake_devices(name, created_at);
CREATE TABLE pake_changes(
  sequence BIGINT PRIMARY KEY, name BYTEA NOT NULL, generation BIGINT NOT NULL, state BIGINT NOT NULL,
  at BIGINT NOT NULL);
CREATE INDEX ON pake_changes(at);
CREATE TABLE pake_fake_shares(
  step BIGINT PRIMARY KEY, effective_at BIGINT NOT NULL, window_ends BIGINT, shares BYTEA NOT NULL);
CREATE TABLE pake_audit(
  id BIGSERIAL PRIMARY KEY, at BIGINT NOT NULL, actor BYTEA NOT NULL, action BYTEA NOT NULL,
  name BYTEA NOT NULL, detail BYTEA NOT NULL);
CREATE INDEX ON pake_audit(name, id);
)",
    "CREATE INDEX ON pake_changes(name, generation)",
};
constexpr std::int64_t kSchema = kMigrations.size();
constexpr const char* kLockSchema = "SELECT pg_advisory_xact_lock(7739560485559633)";  // "pakedb", among all programs

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
  EXISTS(SELECT 1 FROM pake_devices WHERE key = $4 AND name = coalesce(u.name, ''::bytea))
FROM pake_users x
  LEFT JOIN pake_users u ON u.name = $1
  LEFT JOIN pake_ledger a ON a.key = $2
  LEFT JOIN pake_ledger s ON s.key = $3
  LEFT JOIN pake_ledger d ON d.key = $4
  LEFT JOIN pake_ledger n ON n.key = $5
WHERE x.name = ''::bytea)";

// The same for a selector; the decoy's user is the decoy.
constexpr const char* kReadCode = R"(
SELECT
  coalesce(i.selector, x.selector), coalesce(i.name, x.name), coalesce(i.expires_at, x.expires_at),
  coalesce(i.sealed, x.sealed), coalesce(i.created_at, x.created_at),
  )" PAKE_USER_COLUMNS R"(,
  c.full_at, c.charged, s.full_at, s.charged, n.full_at, n.charged
FROM pake_invitations x
  LEFT JOIN pake_invitations i ON i.selector = $1
  LEFT JOIN pake_users u ON u.name = coalesce(i.name, ''::bytea)
  LEFT JOIN pake_ledger c ON c.key = $2
  LEFT JOIN pake_ledger s ON s.key = $3
  LEFT JOIN pake_ledger n ON n.key = $4
WHERE x.selector = ''::bytea)";

Parameters user_parameters(const UserRow& row) {
  Parameters parameters;
  parameters.bind(as_bytes(row.name))
      .bind(at_most_64_bits(row.revision))
      .bind(at_most_64_bits(row.generation))
      .bind(std::int64_t{row.parameters.epoch})
      .bind(std::int64_t{row.parameters.suite})
      .bind(std::int64_t{row.parameters.ksf_profile})
      .bind(std::int64_t{static_cast<std::uint8_t>(row.state)})
      .bind(row.sealed)
      .bind(to_integer(row.created_at))
      .bind(to_integer(row.changed_at));
  return parameters;
}

StoreStatus insert_user(PostgresqlConnection& connection, const UserRow& row) {
  PAKE_TRYV(
      connection.query("INSERT INTO pake_users VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", user_parameters(row)));
  return {};
}

StoreStatus insert_invitation(PostgresqlConnection& connection, const InvitationRow& row) {
  PAKE_TRYV(connection.query("INSERT INTO pake_invitations VALUES($1, $2, $3, $4, $5)",
                             Parameters()
                                 .bind(as_bytes(row.selector))
                                 .bind(as_bytes(row.name))
                                 .bind(to_integer(row.expires_at))
                                 .bind(row.sealed)
                                 .bind(to_integer(row.created_at))));
  return {};
}

StoreStatus insert_audit(PostgresqlConnection& connection, const AuditNote& note) {
  PAKE_TRYV(connection.query("INSERT INTO pake_audit(at, actor, action, name, detail) VALUES($1, $2, $3, $4, $5)",
                             Parameters()
                                 .bind(to_integer(note.at))
                                 .bind(as_bytes(note.actor))
                                 .bind(as_bytes(note.action))
                                 .bind(as_bytes(note.name))
                                 .bind(as_bytes(note.detail))));
  return {};
}

StoreStatus insert_fake_shares(PostgresqlConnection& connection, const FakeShareStep& step) {
  Parameters parameters;
  parameters.bind(at_most_64_bits(step.step)).bind(to_integer(step.effective_at));
  if (step.window_ends)
    parameters.bind(to_integer(*step.window_ends));
  else
    parameters.bind_null_integer();
  parameters.bind(encode_shares(step.shares));
  PAKE_TRYV(connection.query("INSERT INTO pake_fake_shares VALUES($1, $2, $3, $4)", parameters));
  return {};
}

StoreResult<std::vector<FakeShareStep>> select_fake_shares(PostgresqlConnection& connection) {
  PAKE_TRY(auto rows, connection.query("SELECT step, effective_at, window_ends, shares FROM (SELECT * FROM "
                                       "pake_fake_shares ORDER BY step DESC LIMIT 16) AS newest ORDER BY step"));
  std::vector<FakeShareStep> steps;
  while (rows.next()) {
    PAKE_TRY(auto step, take_fake_shares(rows));
    steps.push_back(std::move(step));
  }
  if (steps.empty()) return fail_altered("the table of fake shares");
  return steps;
}

StoreStatus notify(PostgresqlConnection& connection) {
  PAKE_TRYV(connection.query("SELECT pg_notify('pake', '')"));
  return {};
}

/// Runs `use` in a transaction and commits it, or undoes it if anything fails.
template <class Use>
StoreStatus in_transaction(PostgresqlConnection& connection, Use&& use) {
  StoreStatus result = std::forward<Use>(use)(connection);
  if (result) return connection.commit();
  if (!connection.is_broken()) static_cast<void>(connection.execute("ROLLBACK"));
  return result;
}

class PostgresqlStore final : public CredentialStore {
 public:
  PostgresqlStore(PostgresqlOptions options, PostgresqlTarget target, StoreInfo info,
                  std::unique_ptr<PostgresqlConnection> first)
      : options_(std::move(options)),
        target_(std::move(target)),
        info_(std::move(info)),
        interrupt_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    idle_.push_back(std::move(first));
    connections_ = 1;
  }

  const StoreInfo& info() const noexcept override { return info_; }

  StoreStatus check() override {
    return read([](PostgresqlConnection& connection) -> StoreStatus {
      PAKE_TRYV(connection.query("SELECT schema FROM pake_meta"));
      return {};
    });
  }

  StoreResult<LoginRows> read_login(const LoginQuery& query) override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<LoginRows> {
      Parameters parameters;
      parameters.bind(as_bytes(query.name)).bind(query.account).bind(query.source);
      if (query.device)
        parameters.bind(*query.device);
      else
        parameters.bind_null_bytes();
      parameters.bind(query.new_rows);
      PAKE_TRY(auto rows, connection.query(kReadLogin, parameters));
      if (!rows.next()) return fail_altered("the decoy among the users");
      LoginRows login;
      login.user = take_user(rows);
      login.found = !login.user.name.empty();
      PAKE_TRY(login.account, take_bucket(rows));
      PAKE_TRY(login.source, take_bucket(rows));
      PAKE_TRY(login.new_rows, take_bucket(rows));
      PAKE_TRY(login.device, take_bucket(rows));
      login.device_is_known = rows.boolean() && login.found;
      return login;
    });
  }

  StoreResult<CodeRows> read_code(const CodeQuery& query) override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<CodeRows> {
      PAKE_TRY(
          auto rows,
          connection.query(
              kReadCode,
              Parameters().bind(as_bytes(query.selector)).bind(query.code).bind(query.source).bind(query.new_rows)));
      if (!rows.next()) return fail_altered("the decoy among the invitations");
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
    // All nodes lock rows in one order: those of guesses, those of who makes rows, the counter.
    std::vector<Charge> ordered(charges.begin(), charges.end());
    std::ranges::sort(ordered, {}, &Charge::key);
    return write([&](PostgresqlConnection& connection) -> StoreStatus {
      std::int64_t fresh = 0;
      std::vector<Charge> makers;
      for (const auto& one : ordered) {
        PAKE_TRY(const auto is_new, charge_one(connection, one, now));
        fresh += is_new ? 1 : 0;
        if (is_new && one.new_row)
          makers.push_back({.key = one.new_row->key, .refill_interval = one.new_row->refill_interval});
      }
      std::ranges::sort(makers, {}, &Charge::key);
      for (const auto& one : makers) {
        PAKE_TRY(const auto is_new, charge_one(connection, one, now));
        fresh += is_new ? 1 : 0;
      }
      return fresh == 0 ? StoreStatus() : keep_to_cap(connection, fresh);
    });
  }

  StoreResult<std::vector<std::optional<BucketRow>>> read_buckets(std::span<const BucketKey> keys) override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<std::vector<std::optional<BucketRow>>> {
      std::vector<std::optional<BucketRow>> buckets;
      for (const auto& key : keys) {
        PAKE_TRY(auto rows,
                 connection.query("SELECT full_at, charged FROM pake_ledger WHERE key = $1", Parameters().bind(key)));
        auto& bucket = buckets.emplace_back();
        if (!rows.next()) continue;
        PAKE_TRY(bucket, take_bucket(rows));
      }
      return buckets;
    });
  }

  StoreStatus clear_buckets(std::span<const BucketKey> keys, const AuditNote& note) override {
    return write([&](PostgresqlConnection& connection) -> StoreStatus {
      for (const auto& key : keys) {
        PAKE_TRY(const auto removed,
                 connection.query("DELETE FROM pake_ledger WHERE key = $1", Parameters().bind(key)));
        PAKE_TRYV(count_ledger_rows(connection, -removed.changed()));
      }
      return insert_audit(connection, note);
    });
  }

  StoreResult<std::optional<UserRow>> find_user(std::string_view name) override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<std::optional<UserRow>> {
      PAKE_TRY(auto rows,
               connection.query("SELECT " PAKE_USER_COLUMNS " FROM pake_users u WHERE name = $1 AND name <> ''::bytea",
                                Parameters().bind(as_bytes(name))));
      if (!rows.next()) return std::nullopt;
      return take_user(rows);
    });
  }

  StoreResult<std::uint64_t> used_generation(std::string_view name) override {
    return read([&](PostgresqlConnection& connection) { return used_generation(connection, name); });
  }

  StoreResult<std::vector<UserRow>> list_users(std::string_view after, std::size_t limit) override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<std::vector<UserRow>> {
      PAKE_TRY(auto rows,
               connection.query("SELECT " PAKE_USER_COLUMNS " FROM pake_users u WHERE name > $1 ORDER BY name LIMIT $2",
                                Parameters().bind(as_bytes(after)).bind(at_most_64_bits(limit))));
      std::vector<UserRow> users;
      while (rows.next()) users.push_back(take_user(rows));
      return users;
    });
  }

  StoreStatus write_user(const UserWrite& change, const AuditNote& note) override {
    const auto& row = change.row;
    PAKE_TRYV(require_sealed(row));
    return write([&](PostgresqlConnection& connection) -> StoreStatus {
      PAKE_TRY(const auto moved, put_user(connection, row));
      if (change.redeemed_selector) {
        PAKE_TRY(const auto redeemed,
                 connection.query("DELETE FROM pake_invitations WHERE selector = $1 AND name = $2 AND expires_at > $3",
                                  Parameters()
                                      .bind(as_bytes(*change.redeemed_selector))
                                      .bind(as_bytes(row.name))
                                      .bind(to_integer(note.at))));
        if (redeemed.changed() != 1) return fail_invitation_gone(row.name);
      }
      PAKE_TRYV(insert_audit(connection, note));
      return moved ? announce(connection, row, note.at) : StoreStatus();
    });
  }

  StoreResult<std::uint64_t> purge_removed(Time before) override {
    std::uint64_t purged = 0;
    PAKE_TRYV(write([&](PostgresqlConnection& connection) -> StoreStatus {
      PAKE_TRY(const auto removed, connection.query("DELETE FROM pake_users WHERE state = 3 AND changed_at < $1",
                                                    Parameters().bind(to_integer(before))));
      purged = static_cast<std::uint64_t>(removed.changed());
      return {};
    }));
    return purged;
  }

  StoreResult<std::vector<ParameterCount>> count_users() override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<std::vector<ParameterCount>> {
      PAKE_TRY(auto rows,
               connection.query("SELECT epoch, suite, ksf, state, count(*) FROM pake_users WHERE name <> ''::bytea "
                                "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"));
      std::vector<ParameterCount> counts;
      while (rows.next()) counts.push_back(take_count(rows));
      return counts;
    });
  }

  StoreStatus put_invitation(const InvitationRow& row, const AuditNote& note) override {
    PAKE_TRYV(require_sealed(row));
    return write([&](PostgresqlConnection& connection) -> StoreStatus {
      PAKE_TRYV(lock_user(connection, row.name));
      PAKE_TRYV(delete_invitation_of(connection, row.name));
      if (auto inserted = insert_invitation(connection, row); !inserted)
        return fail_selector(std::move(inserted.error()), row.selector);
      return insert_audit(connection, note);
    });
  }

  StoreResult<std::optional<InvitationRow>> find_invitation_of(std::string_view name) override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<std::optional<InvitationRow>> {
      PAKE_TRY(auto rows, connection.query("SELECT selector, name, expires_at, sealed, created_at FROM "
                                           "pake_invitations WHERE name = $1 AND name <> ''::bytea",
                                           Parameters().bind(as_bytes(name))));
      if (!rows.next()) return std::nullopt;
      return take_invitation(rows);
    });
  }

  StoreStatus withdraw_invitation(std::string_view name, const AuditNote& note) override {
    return write([&](PostgresqlConnection& connection) -> StoreStatus {
      PAKE_TRY(const auto deleted, delete_invitation_of(connection, name));
      if (deleted == 0) return fail_no_invitation(name);
      return insert_audit(connection, note);
    });
  }

  StoreStatus add_device(std::string_view name, const BucketKey& device, Time now) override {
    return write([&](PostgresqlConnection& connection) -> StoreStatus {
      PAKE_TRYV(lock_user(connection, name));
      PAKE_TRYV(
          connection.query("INSERT INTO pake_devices VALUES($1, $2, $3) ON CONFLICT (key) DO UPDATE SET "
                           "name = excluded.name, created_at = excluded.created_at",
                           Parameters().bind(device).bind(as_bytes(name)).bind(to_integer(now))));
      PAKE_TRYV(connection.query(
          "DELETE FROM pake_devices WHERE name = $1 AND key NOT IN "
          "(SELECT key FROM pake_devices WHERE name = $1 ORDER BY created_at DESC, key = $3 DESC LIMIT $2)",
          Parameters().bind(as_bytes(name)).bind(kMaxDevices).bind(device)));
      return {};
    });
  }

  StoreResult<std::vector<BucketKey>> devices_of(std::string_view name) override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<std::vector<BucketKey>> {
      PAKE_TRY(auto rows, connection.query("SELECT key FROM pake_devices WHERE name = $1 ORDER BY created_at DESC",
                                           Parameters().bind(as_bytes(name))));
      std::vector<BucketKey> devices;
      while (rows.next()) {
        PAKE_TRY(const auto key, take_bucket_key(rows));
        devices.push_back(key);
      }
      return devices;
    });
  }

  StoreResult<std::uint64_t> last_change() override {
    return read([](PostgresqlConnection& connection) -> StoreResult<std::uint64_t> {
      PAKE_TRY(auto rows, connection.query("SELECT value FROM pake_counters WHERE name = 'changes'"));
      if (!rows.next()) return fail_altered("the counter of changes");
      return static_cast<std::uint64_t>(rows.integer());
    });
  }

  StoreResult<std::vector<GenerationChange>> changes_after(std::uint64_t sequence, std::size_t limit) override {
    return select_changes(
        "SELECT sequence, name, generation, state, at FROM pake_changes WHERE sequence > $1 "
        "ORDER BY sequence LIMIT $2",
        at_most_64_bits(sequence), limit);
  }

  StoreResult<std::vector<GenerationChange>> changes_since(Time since, std::size_t limit) override {
    return select_changes(
        "SELECT sequence, name, generation, state, at FROM pake_changes WHERE at >= $1 "
        "ORDER BY sequence LIMIT $2",
        to_integer(since), limit);
  }

  // Notifications wake it; every second it asks, in case one was lost with its connection.
  StoreResult<bool> wait_for_changes(std::chrono::milliseconds timeout) override {
    const std::scoped_lock lock(feed_mutex_);
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
      auto changed = ask_feed();
      if (changed && *changed) return true;
      const auto until =
          std::min(deadline, std::chrono::steady_clock::now() + (changed ? kPollInterval : kPauseAfterFailure));
      PAKE_TRYV(wait_on_feed(until));
      if (!changed) return std::unexpected(std::move(changed.error()));
      if (std::chrono::steady_clock::now() >= deadline) return ask_feed();
    }
  }

  void interrupt_wait() noexcept override {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(interrupt_.get(), &one, sizeof one));
  }

  StoreResult<std::vector<FakeShareStep>> fake_shares() override {
    return read([](PostgresqlConnection& connection) { return select_fake_shares(connection); });
  }

  StoreStatus append_fake_shares(const FakeShareStep& step, const AuditNote& note) override {
    return write([&](PostgresqlConnection& connection) -> StoreStatus {
      PAKE_TRYV(connection.execute("LOCK TABLE pake_fake_shares IN SHARE ROW EXCLUSIVE MODE"));
      PAKE_TRY(const auto steps, select_fake_shares(connection));
      PAKE_TRYV(require_next_step(steps.back(), step));
      PAKE_TRYV(insert_fake_shares(connection, step));
      PAKE_TRYV(insert_audit(connection, note));
      return notify(connection);
    });
  }

  StoreStatus audit(const AuditNote& note) override {
    return write([&](PostgresqlConnection& connection) { return insert_audit(connection, note); });
  }

  StoreResult<std::vector<AuditRow>> read_audit(std::string_view name, std::size_t limit) override {
    return read([&](PostgresqlConnection& connection) -> StoreResult<std::vector<AuditRow>> {
      Parameters parameters;
      parameters.bind(at_most_64_bits(limit));
      if (!name.empty()) parameters.bind(as_bytes(name));
      PAKE_TRY(auto rows, connection.query(name.empty() ? "SELECT id, at, actor, action, name, detail FROM pake_audit "
                                                          "ORDER BY id DESC LIMIT $1"
                                                        : "SELECT id, at, actor, action, name, detail FROM pake_audit "
                                                          "WHERE name = $2 ORDER BY id DESC LIMIT $1",
                                           parameters));
      std::vector<AuditRow> audit_rows;
      while (rows.next()) audit_rows.push_back(take_audit(rows));
      return audit_rows;
    });
  }

  StoreStatus expire(const ExpiryRule& rule, Time now) override {
    PAKE_TRYV(
        expire_by("DELETE FROM pake_ledger WHERE key IN "
                  "(SELECT key FROM pake_ledger WHERE full_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
                  to_integer(now), true));
    PAKE_TRYV(
        expire_by("DELETE FROM pake_invitations WHERE selector IN (SELECT selector FROM pake_invitations "
                  "WHERE expires_at <= $1 AND selector <> ''::bytea LIMIT $2)",
                  to_integer(now)));
    PAKE_TRYV(
        expire_by("DELETE FROM pake_devices WHERE key IN "
                  "(SELECT key FROM pake_devices WHERE created_at < $1 LIMIT $2)",
                  to_integer(now - rule.keep_devices)));
    PAKE_TRYV(
        expire_by("DELETE FROM pake_changes WHERE sequence IN "
                  "(SELECT sequence FROM pake_changes WHERE at < $1 LIMIT $2)",
                  to_integer(now - rule.keep_generation_changes)));
    return expire_by(
        "DELETE FROM pake_audit WHERE id IN (SELECT id FROM pake_audit WHERE id <= "
        "(SELECT max(id) FROM pake_audit) - $1 LIMIT $2)",
        at_most_64_bits(rule.keep_audit_rows));
  }

 private:
  using Lease = std::unique_ptr<PostgresqlConnection>;

  /// A connection, alone, until it is given back: an idle one, or a new one if there may be more.
  StoreResult<Lease> acquire(Deadline deadline) {
    {
      std::unique_lock lock(pool_mutex_);
      const auto may_go = [&] {
        return !idle_.empty() || connections_ < std::max<std::size_t>(options_.connections, 1);
      };
      if (!pool_signal_.wait_until(lock, deadline, may_go))
        return fail(StoreErrc::busy, "the store " + info_.where + " is busy: every connection is taken",
                    "try again; more connections serve more at once");
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        connection->set_deadline(deadline);
        return connection;
      }
      ++connections_;
    }
    auto connection = PostgresqlConnection::connect(target_, deadline, options_.timeout);
    if (connection) {
      (*connection)->set_deadline(deadline);
    } else {
      const std::scoped_lock lock(pool_mutex_);
      --connections_;
    }
    return connection;
  }

  void give_back(Lease connection) {
    {
      const std::scoped_lock lock(pool_mutex_);
      if (connection->is_broken()) {
        // What one of them met, all have met: the primary is gone.
        connections_ -= 1 + idle_.size();
        idle_.clear();
      } else {
        idle_.push_back(std::move(connection));
      }
    }
    pool_signal_.notify_all();
  }

  Deadline deadline() const { return std::chrono::steady_clock::now() + options_.timeout; }

  /// Runs `use` on a connection. One that turns out to be dead is replaced once: reading again does no harm.
  template <class Use>
  auto read(Use&& use) -> std::invoke_result_t<Use, PostgresqlConnection&> {
    const auto until = deadline();
    for (int attempt = 0;; ++attempt) {
      PAKE_TRY(auto connection, acquire(until));
      auto result = use(*connection);
      const bool was_dead = connection->is_broken();
      give_back(std::move(connection));
      if (result || !was_dead || attempt == 1) return result;
    }
  }

  template <class Use>
  StoreStatus write(Use&& use) {
    const auto until = deadline();
    for (int attempt = 0;; ++attempt) {
      PAKE_TRY(auto connection, acquire(until));
      auto result = connection->execute("BEGIN");
      // A dead connection is met here, before anything was done, as a rule.
      const bool may_repeat = !result && connection->is_broken() && attempt == 0;
      if (result) result = in_transaction(*connection, use);
      give_back(std::move(connection));
      if (!may_repeat) return result;
    }
  }

  static StoreResult<bool> charge_one(PostgresqlConnection& connection, const Charge& charge, Time now) {
    const auto digest = charge.digest ? to_buffer(*charge.digest) : Buffer();
    PAKE_TRY(
        auto rows,
        connection.query("INSERT INTO pake_ledger AS l VALUES($1, $2 + $3, $4, $5, $2) ON CONFLICT (key) DO UPDATE SET "
                         "full_at = greatest(l.full_at, $2) + $3, charged = CASE WHEN position($4 IN l.charged) > 0 "
                         "THEN l.charged ELSE substring($4 || l.charged FROM 1 FOR $6::integer) END, "
                         "of_account = $5, touched_at = $2 RETURNING xmax = 0",
                         Parameters()
                             .bind(charge.key)
                             .bind(to_integer(now))
                             .bind(charge.refill_interval.count())
                             .bind(digest)
                             .bind(std::int64_t{charge.of_an_account ? 1 : 0})
                             .bind(static_cast<std::int64_t>(kMaxBucketDigests * HelloDigest().size()))));
    return rows.next() && rows.boolean();
  }

  static StoreResult<std::int64_t> count_ledger_rows(PostgresqlConnection& connection, std::int64_t difference) {
    if (difference == 0) return 0;
    PAKE_TRY(auto rows, connection.query("UPDATE pake_counters SET value = value + $1 WHERE name = 'ledger_rows' "
                                         "RETURNING value",
                                         Parameters().bind(difference)));
    if (!rows.next()) return fail_altered("the counter of the ledger's rows");
    return rows.integer();
  }

  StoreStatus keep_to_cap(PostgresqlConnection& connection, std::int64_t fresh) {
    PAKE_TRY(const auto count, count_ledger_rows(connection, fresh));
    const auto excess = count - at_most_64_bits(options_.max_ledger_rows);
    if (excess <= 0) return {};
    PAKE_TRY(const auto evicted, connection.query("DELETE FROM pake_ledger WHERE key IN (SELECT key FROM pake_ledger "
                                                  "ORDER BY of_account, touched_at LIMIT $1 FOR UPDATE SKIP LOCKED)",
                                                  Parameters().bind(excess)));
    PAKE_TRYV(count_ledger_rows(connection, -evicted.changed()));
    return {};
  }

  /// The highest generation of a name among the changes that are kept, 0 if there is none.
  static StoreResult<std::uint64_t> used_generation(PostgresqlConnection& connection, std::string_view name) {
    PAKE_TRY(auto rows, connection.query("SELECT coalesce(max(generation), 0) FROM pake_changes WHERE name = $1",
                                         Parameters().bind(as_bytes(name))));
    if (!rows.next()) return fail_altered("the changes of a user");
    return static_cast<std::uint64_t>(rows.integer());
  }

  /// Inserts or replaces under compare-and-swap; says whether it goes into the feed.
  static StoreResult<bool> put_user(PostgresqlConnection& connection, const UserRow& row) {
    PAKE_TRY(auto rows,
             connection.query("SELECT revision, generation, state FROM pake_users WHERE name = $1 FOR UPDATE",
                              Parameters().bind(as_bytes(row.name))));
    if (!rows.next()) {
      if (row.revision != 1) return fail_removed_meanwhile(row.name);
      PAKE_TRY(const auto used, used_generation(connection, row.name));
      if (used >= row.generation) return fail_used_generation(row.name);
      auto inserted = insert_user(connection, row);
      if (!inserted && inserted.error().code == StoreErrc::exists)
        return fail_user_exists(row.name);  // another node just now
      if (!inserted) return std::unexpected(std::move(inserted.error()));
      return used > 0;  // a name that is made anew: the nodes know it as removed
    }
    const auto stored = take_stored(rows);
    PAKE_TRYV(require_next_revision(stored, row));
    PAKE_TRYV(
        connection.query("UPDATE pake_users SET revision=$2, generation=$3, epoch=$4, suite=$5, ksf=$6, state=$7, "
                         "sealed=$8, created_at=$9, changed_at=$10 WHERE name=$1",
                         user_parameters(row)));
    return stored.generation != row.generation || stored.state != row.state;
  }

  /// The counter's row is locked until the commit: so changes are committed in the order of their numbers. It comes
  /// last in its transaction, since everybody else waits.
  static StoreStatus announce(PostgresqlConnection& connection, const UserRow& row, Time at) {
    // A device's ticket names the generation: the new one makes all of them void.
    PAKE_TRYV(connection.query("DELETE FROM pake_devices WHERE name = $1", Parameters().bind(as_bytes(row.name))));
    if (row.state == UserState::removed) PAKE_TRYV(delete_invitation_of(connection, row.name));
    PAKE_TRYV(notify(connection));
    PAKE_TRYV(
        connection.query("WITH number AS (UPDATE pake_counters SET value = value + 1 WHERE name = 'changes' "
                         "RETURNING value) INSERT INTO pake_changes SELECT value, $1, $2, $3, $4 FROM number",
                         Parameters()
                             .bind(as_bytes(row.name))
                             .bind(at_most_64_bits(row.generation))
                             .bind(std::int64_t{static_cast<std::uint8_t>(row.state)})
                             .bind(to_integer(at))));
    return {};
  }

  static StoreStatus lock_user(PostgresqlConnection& connection, std::string_view name) {
    PAKE_TRY(auto rows, connection.query("SELECT revision FROM pake_users WHERE name = $1 AND name <> ''::bytea AND "
                                         "state <> 3 FOR UPDATE",
                                         Parameters().bind(as_bytes(name))));
    if (rows.next()) return {};
    return fail_no_user(name);
  }

  static StoreResult<std::int64_t> delete_invitation_of(PostgresqlConnection& connection, std::string_view name) {
    PAKE_TRY(const auto deleted, connection.query("DELETE FROM pake_invitations WHERE name = $1 AND name <> ''::bytea",
                                                  Parameters().bind(as_bytes(name))));
    return deleted.changed();
  }

  StoreResult<std::vector<GenerationChange>> select_changes(const char* sql, std::int64_t from, std::size_t limit) {
    return read([&](PostgresqlConnection& connection) -> StoreResult<std::vector<GenerationChange>> {
      PAKE_TRY(auto rows, connection.query(sql, Parameters().bind(from).bind(at_most_64_bits(limit))));
      std::vector<GenerationChange> changes;
      while (rows.next()) changes.push_back(take_change(rows));
      return changes;
    });
  }

  StoreStatus expire_by(const char* sql, std::int64_t bound, bool of_ledger = false) {
    std::int64_t deleted = 0;
    do {
      PAKE_TRYV(write([&](PostgresqlConnection& connection) -> StoreStatus {
        PAKE_TRY(const auto removed, connection.query(sql, Parameters().bind(bound).bind(kExpiryBatch)));
        deleted = removed.changed();
        if (of_ledger) PAKE_TRYV(count_ledger_rows(connection, -deleted));
        return {};
      }));
    } while (deleted == kExpiryBatch);
    return {};
  }

  /// Whether the feed has moved since the last answer; connects if there is no connection.
  StoreResult<bool> ask_feed() {
    const auto until = deadline();
    if (feed_ == nullptr || feed_->is_broken()) {
      feed_.reset();
      PAKE_TRY(feed_, PostgresqlConnection::connect(target_, until, options_.timeout));
      PAKE_TRYV(feed_->execute("LISTEN pake"));
    }
    feed_->set_deadline(until);
    PAKE_TRYV(feed_->take_notifications());
    PAKE_TRY(auto rows, feed_->query("SELECT (SELECT value FROM pake_counters WHERE name = 'changes'), "
                                     "(SELECT max(step) FROM pake_fake_shares)"));
    if (!rows.next()) return fail_altered("the counter of changes");
    const auto changes = rows.integer();
    const auto steps = rows.integer();
    return std::exchange(seen_, std::pair(changes, steps)) != seen_;
  }

  /// Until a notification, a fault of the connection, or the time.
  StoreStatus wait_on_feed(Deadline until) {
    while (true) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
      if (left <= 0) return {};
      const bool is_up = feed_ != nullptr && !feed_->is_broken();
      std::array<pollfd, 2> polled = {{{.fd = interrupt_.get(), .events = POLLIN, .revents = 0},
                                       {.fd = is_up ? feed_->socket() : -1, .events = POLLIN, .revents = 0}}};
      const auto ready = ::poll(polled.data(), polled.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000)));
      if (polled[0].revents != 0) {
        std::uint64_t count = 0;
        static_cast<void>(!::read(interrupt_.get(), &count, sizeof count));
        return fail(StoreErrc::interrupted, "the wait for changes was interrupted");
      }
      if (ready > 0) return {};
    }
  }

  PostgresqlOptions options_;
  PostgresqlTarget target_;
  StoreInfo info_;

  std::mutex pool_mutex_;
  std::condition_variable pool_signal_;
  std::vector<Lease> idle_;
  std::size_t connections_ = 0;

  std::mutex feed_mutex_;
  Lease feed_;
  std::pair<std::int64_t, std::int64_t> seen_{-1, -1};
  Descriptor interrupt_;
};

StoreStatus migrate(PostgresqlConnection& connection, std::int64_t from) {
  for (auto at = static_cast<std::size_t>(from); at < kMigrations.size(); ++at)
    PAKE_TRYV(connection.execute(kMigrations[at]));
  return {};
}

StoreResult<bool> is_there(PostgresqlConnection& connection) {
  PAKE_TRY(auto rows, connection.query("SELECT to_regclass('pake_meta') IS NOT NULL"));
  return rows.next() && rows.boolean();
}

struct Opened {
  PostgresqlTarget target;
  std::unique_ptr<PostgresqlConnection> connection;
};

StoreResult<Opened> connect(const PostgresqlOptions& options) {
  PAKE_TRY(auto target, parse_postgresql_url(options.url));
  const auto deadline = std::chrono::steady_clock::now() + options.timeout;
  PAKE_TRY(auto connection, PostgresqlConnection::connect(target, deadline, options.timeout));
  connection->set_deadline(deadline);
  return Opened{.target = std::move(target), .connection = std::move(connection)};
}

StoreResult<std::unique_ptr<CredentialStore>> finish_opening(const PostgresqlOptions& options, Opened opened) {
  StoreInfo info{.kind = "postgresql", .where = opened.target.where};
  PAKE_TRY(auto rows, opened.connection->query("SELECT schema, key_file, created_at FROM pake_meta"));
  if (!rows.next()) return fail_altered("the table pake_meta");
  info.schema = static_cast<std::uint32_t>(rows.integer());
  const auto id = rows.blob();
  if (id.size() != info.key_file.size()) return fail_altered("the id of the key file");
  std::ranges::copy(id, info.key_file.begin());
  info.created_at = to_time(rows.integer());
  return std::make_unique<PostgresqlStore>(options, std::move(opened.target), std::move(info),
                                           std::move(opened.connection));
}

}  // namespace

StoreResult<std::unique_ptr<CredentialStore>> open_postgresql(const PostgresqlOptions& options) {
  PAKE_TRY(auto opened, connect(options));
  auto& connection = *opened.connection;
  PAKE_TRY(const auto there, is_there(connection));
  if (!there)
    return fail(StoreErrc::missing, "there is no store in " + opened.target.where,
                "check the name of the database; the first start of `pake serve` makes the store");
  PAKE_TRY(auto rows, connection.query("SELECT schema FROM pake_meta"));
  if (!rows.next()) return fail_altered("the table pake_meta");
  const auto schema = rows.integer();
  if (schema > kSchema)
    return fail(StoreErrc::newer_schema,
                "the store " + opened.target.where + " has schema " + std::to_string(schema) + "; this pake knows " +
                    std::to_string(kSchema),
                "it was written by a newer pake: upgrade this one, or restore a backup from before");
  if (schema < kSchema) {
    PAKE_TRYV(connection.execute("BEGIN"));
    PAKE_TRYV(in_transaction(connection, [&](PostgresqlConnection& in) -> StoreStatus {
      PAKE_TRYV(in.query(kLockSchema));
      PAKE_TRY(auto now, in.query("SELECT schema FROM pake_meta /* under the lock */"));
      if (!now.next()) return fail_altered("the table pake_meta");
      PAKE_TRYV(migrate(in, now.integer()));
      PAKE_TRYV(in.query("UPDATE pake_meta SET schema = $1", Parameters().bind(kSchema)));
      return {};
    }));
  }
  return finish_opening(options, std::move(opened));
}

StoreResult<std::unique_ptr<CredentialStore>> create_postgresql(const PostgresqlOptions& options,
                                                                const StoreSeed& seed) {
  PAKE_TRY(auto opened, connect(options));
  PAKE_TRYV(opened.connection->execute("BEGIN"));
  PAKE_TRYV(in_transaction(*opened.connection, [&](PostgresqlConnection& connection) -> StoreStatus {
    PAKE_TRYV(connection.query(kLockSchema));
    PAKE_TRY(const auto there, is_there(connection));
    if (there) return fail(StoreErrc::exists, "there is a store in " + opened.target.where + " already", "open it");
    PAKE_TRYV(migrate(connection, 0));
    PAKE_TRYV(connection.query("INSERT INTO pake_meta(schema, key_file, created_at) VALUES($1, $2, $3)",
                               Parameters().bind(kSchema).bind(seed.key_file).bind(to_integer(seed.created_at))));
    PAKE_TRYV(insert_user(connection, seed.decoy_user));
    PAKE_TRYV(insert_invitation(connection, seed.decoy_invitation));
    return insert_fake_shares(connection, seed.first_shares);
  }));
  return finish_opening(options, std::move(opened));
}

}  // namespace pake::store
