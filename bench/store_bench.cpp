// The store's part of a login and of a wrong guess, with few users and with a million: SQLite in a temporary directory
// (TMPDIR), PostgreSQL where PAKE_BENCH_POSTGRESQL is the URL of an empty database.
#include <benchmark/benchmark.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "pake/crypto/rng.h"
#include "pake/store/postgresql.h"
#include "pake/store/sealing.h"
#include "pake/store/sqlite.h"

namespace {

using namespace pake;
using namespace pake::store;

constexpr Time kNow = Time(std::chrono::milliseconds(1'790'000'000'000));
constexpr CredentialParameters kParameters = {.epoch = 1, .suite = 1, .ksf_profile = 2};

template <class T>
T must(StoreResult<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// A store with user0 to userN-1; all but the first have sealed bytes that nobody opens here.
struct Filled {
  Filled() = default;
  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;
  virtual ~Filled() = default;
  crypto::SystemRng rng;
  KeyFile keys = KeyFile::generate(kNow, rng);
  std::unique_ptr<CredentialStore> store;

  void add_first() {
    auto row = new_user("user0", kParameters, kNow, rng);
    const Buffer record(204, 7);
    must(seal_user(keys, row, record, rng));
    must(store->write_user({.row = row}, {.at = kNow, .actor = "bench", .action = "user.add"}));
  }
  LoginQuery query(const std::string& name) const {
    return {.name = name,
            .account = keys.bucket_key(BucketKind::account, as_bytes(name)),
            .source = keys.bucket_key(BucketKind::source, as_bytes("192.0.2.1"))};
  }
};

class SqliteFilled : public Filled {
 public:
  explicit SqliteFilled(std::int64_t users) {
    auto pattern = (std::filesystem::temp_directory_path() / "pake-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
    directory_ = pattern;
    SqliteOptions options;
    options.path = directory_ / "pake.db";
    store = must(create_sqlite(options, make_store_seed(keys, kParameters, kNow, rng)));
    add_first();
    sqlite3* database = nullptr;
    sqlite3_open(options.path.c_str(), &database);
    const auto sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
                     std::to_string(users) + ") INSERT INTO users SELECT 'user' || i, 1, i, 1, 1, 2, 1, randomblob(" +
                     std::to_string(kSealedUserSize) + "), 0, 0 FROM n WHERE " + std::to_string(users) + " > 1";
    if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(database));
    sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
    sqlite3_close(database);
  }
  SqliteFilled(const SqliteFilled&) = delete;
  SqliteFilled& operator=(const SqliteFilled&) = delete;
  ~SqliteFilled() override {
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

 private:
  std::filesystem::path directory_;
};

class PostgresqlFilled : public Filled {
 public:
  PostgresqlFilled(const char* url, std::int64_t users) {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url), PQfinish);
    const auto run = [&](const std::string& sql) {
      const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()), PQclear);
      const auto status = PQresultStatus(result.get());
      if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    };
    run("DROP TABLE IF EXISTS pake_meta, pake_counters, pake_users, pake_invitations, pake_ledger, pake_devices, "
        "pake_changes, pake_fake_shares, pake_audit");
    store = must(create_postgresql({.url = url}, make_store_seed(keys, kParameters, kNow, rng)));
    add_first();
    run("INSERT INTO pake_users SELECT convert_to('user' || i, 'UTF8'), 1, i, 1, 1, 2, 1, "
        "decode(repeat('07', " +
        std::to_string(kSealedUserSize) + "), 'hex'), 0, 0 FROM generate_series(1, " + std::to_string(users - 1) +
        ") AS i");
    run("VACUUM ANALYZE pake_users");
  }
};

template <class Make>
void add(const std::string& kind, Make make) {
  for (const std::int64_t users : {1, 1'000'000}) {
    const auto filled = std::make_shared<std::unique_ptr<Filled>>();
    const auto get = [filled, make, users]() -> Filled& {
      if (*filled == nullptr) *filled = make(users);
      return **filled;
    };
    const auto suffix = "/" + std::to_string(users) + "_users";
    const auto read = [get](const char* name) {
      return [get, name](benchmark::State& state) {
        auto& rows = get();
        for (auto _ : state) benchmark::DoNotOptimize(must(rows.store->read_login(rows.query(name))));
      };
    };
    benchmark::RegisterBenchmark((kind + "/read_login/known" + suffix).c_str(), read("user0"))->UseRealTime();
    benchmark::RegisterBenchmark((kind + "/read_login/unknown" + suffix).c_str(), read("nobody"))->UseRealTime();
    benchmark::RegisterBenchmark((kind + "/read_login/known_any" + suffix).c_str(), [get,
                                                                                     users](benchmark::State& state) {
      auto& rows = get();
      std::uint64_t at = 1;
      for (auto _ : state) {
        at = at * 6364136223846793005U + 1442695040888963407U;
        const auto name = "user" + std::to_string((at >> 33U) % static_cast<std::uint64_t>(users));
        benchmark::DoNotOptimize(must(rows.store->read_login(rows.query(name))));
      }
    })->UseRealTime();
    benchmark::RegisterBenchmark((kind + "/charge" + suffix).c_str(), [get](benchmark::State& state) {
      auto& rows = get();
      const auto query = rows.query("user0");
      const std::vector<Charge> charges = {{.key = query.account, .refill_interval = std::chrono::hours(1)},
                                           {.key = query.source, .refill_interval = std::chrono::minutes(1)}};
      for (auto _ : state) must(rows.store->charge(charges, kNow));
    })->UseRealTime();
  }
}

void open_user_row(benchmark::State& state) {
  crypto::SystemRng rng;
  const auto keys = KeyFile::generate(kNow, rng);
  auto row = new_user("user0", kParameters, kNow, rng);
  const Buffer record(204, 7);
  must(seal_user(keys, row, record, rng));
  for (auto _ : state) benchmark::DoNotOptimize(must(open_user(keys, row)));
}

}  // namespace

int main(int argc, char** argv) try {
  benchmark::RegisterBenchmark("open_user", open_user_row);
  add("sqlite", [](std::int64_t users) -> std::unique_ptr<Filled> { return std::make_unique<SqliteFilled>(users); });
  if (const auto* url = std::getenv("PAKE_BENCH_POSTGRESQL"); url != nullptr)
    add("postgresql", [url](std::int64_t users) -> std::unique_ptr<Filled> {
      return std::make_unique<PostgresqlFilled>(url, users);
    });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
