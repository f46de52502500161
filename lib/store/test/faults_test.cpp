// What was acknowledged is there after a power cut, a fault of the device, a full one, one that takes no changes, kill
// -9.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "fault_vfs.h"
#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr std::size_t kUsers = 4;

/// Makes changes, and remembers of each what was acknowledged and what is in doubt.
class Ledger {
 public:
  explicit Ledger(std::uint64_t seed) : keys(seed) {}

  /// One change of a random user and one of a bucket; false once the store said no.
  bool change(CredentialStore& store) {
    std::array<std::uint8_t, 2> drawn{};
    keys.rng.fill(drawn);
    auto& user = users[drawn[0] % kUsers];
    const auto name = "user" + std::to_string(drawn[0] % kUsers);
    auto row = user.acknowledged ? next_revision(*user.acknowledged, kNow) : new_user(name, kFirst, kNow, keys.rng);
    if (drawn[1] % 2 == 0) ++row.generation;
    row = keys.sealed(row, "record " + std::to_string(row.revision));
    user.doubtful = row;
    const auto written = store.write_user({.row = row}, note("user.change", name));
    if (!written) return note_failure(written.error());
    acknowledged_moves += user.acknowledged && user.acknowledged->generation != row.generation ? 1U : 0U;
    user.acknowledged = std::exchange(user.doubtful, std::nullopt);
    ++acknowledged;
    ++doubtful_charges;
    const auto charged = store.charge(std::vector{Charge{.key = bucket, .refill_interval = 1h}}, kNow);
    if (!charged) return note_failure(charged.error());
    --doubtful_charges;
    ++acknowledged_charges;
    return true;
  }

  /// Compares, and takes what was in doubt as it is now.
  void check(CredentialStore& store) {
    for (std::size_t i = 0; i < kUsers; ++i) {
      auto& user = users[i];
      const auto row = must(store.find_user("user" + std::to_string(i)));
      const bool is_right = row == user.acknowledged || (user.doubtful && row == user.doubtful);
      EXPECT_TRUE(is_right) << "user" << i << " acknowledged " << (user.acknowledged ? user.acknowledged->revision : 0)
                            << " found " << (row ? row->revision : 0);
      if (row) {
        EXPECT_EQ(keys.record_of(*row), "record " + std::to_string(row->revision));
      }
      user = {.acknowledged = row, .doubtful = std::nullopt};
    }
    const auto rows = must(store.read_buckets(std::vector{bucket}));
    const auto charges = rows.front() ? (rows.front()->full_at - kNow) / 1h : 0;
    EXPECT_GE(charges, acknowledged_charges);
    EXPECT_LE(charges, acknowledged_charges + doubtful_charges);
    acknowledged_charges = charges;
    doubtful_charges = 0;
    EXPECT_GE(must(store.changes_after(0, 1'000'000)).size(), acknowledged_moves);
  }

  struct User {
    std::optional<UserRow> acknowledged, doubtful;
  };
  Keys keys;
  BucketKey bucket = keys.bucket("bucket");
  std::array<User, kUsers> users;
  std::uint64_t acknowledged = 0, acknowledged_moves = 0;
  std::int64_t acknowledged_charges = 0, doubtful_charges = 0;
  std::vector<StoreError> errors;

 private:
  bool note_failure(const StoreError& error) {
    errors.push_back(error);
    return false;
  }
};

void expect_sound(const std::filesystem::path& path) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  std::string said;
  sqlite3_exec(
      database, "PRAGMA integrity_check",
      [](void* out, int, char** values, char**) {
        *static_cast<std::string*>(out) += values[0];
        return 0;
      },
      &said, nullptr);
  sqlite3_close(database);
  EXPECT_EQ(said, "ok");
}

TEST(SqliteFaults, APowerCutLosesNothingAcknowledged) {
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    FaultVfs vfs;
    SqliteBackend backend;
    auto options = backend.options();
    options.vfs = vfs.name();
    Ledger ledger(seed);
    {
      must(create_sqlite(options, make_store_seed(ledger.keys.file, kFirst, kNow, ledger.keys.rng)));
    }
    for (int cut = 0; cut < 2; ++cut) {
      std::array<std::uint8_t, 2> drawn{};
      ledger.keys.rng.fill(drawn);
      vfs.cut_power_at(vfs.operations() + (std::uint64_t{drawn[0]} << 8U | drawn[1]) % 400);
      {
        auto store = open_sqlite(options);
        while (store && ledger.change(**store)) {
        }
      }
      ASSERT_TRUE(vfs.power_is_cut());
      vfs.restore_power(ledger.keys.rng);
      const auto store = must(open_sqlite(options));
      ledger.check(*store);
      ASSERT_FALSE(HasFailure()) << "seed " << seed << " cut " << cut;
    }
    acknowledged += ledger.acknowledged;
    expect_sound(options.path);
  }
  EXPECT_GT(acknowledged, 1500U);
}

TEST(SqliteFaults, APowerCutWhileItIsMadeLeavesNoneOrAWholeOne) {
  int whole = 0, none = 0;
  for (std::uint64_t at = 0; at < 60; ++at) {
    FaultVfs vfs;
    SqliteBackend backend;
    auto options = backend.options();
    options.vfs = vfs.name();
    Keys keys(at);
    const auto seed = make_store_seed(keys.file, kFirst, kNow, keys.rng);
    vfs.cut_power_at(at);
    const bool made = create_sqlite(options, seed).has_value();
    vfs.restore_power(keys.rng);
    const auto opened = open_sqlite(options);
    if (opened)
      ++whole;
    else
      ++none;
    if (made) {
      EXPECT_TRUE(opened) << at;
    }
    if (!opened) {
      EXPECT_EQ(opened.error().code, StoreErrc::missing) << explain(opened.error());
      EXPECT_TRUE(create_sqlite(options, seed)) << at;
    }
  }
  EXPECT_GT(whole, 0);
  EXPECT_GT(none, 0);
}

TEST(SqliteFaults, AFaultOfTheDeviceIsToldAndGoesBy) {
  FaultVfs vfs;
  SqliteBackend backend;
  auto options = backend.options();
  options.vfs = vfs.name();
  Ledger ledger(5);
  const auto store = must(create_sqlite(options, make_store_seed(ledger.keys.file, kFirst, kNow, ledger.keys.rng)));
  const std::array<std::pair<int, StoreErrc>, 4> kinds = {{{SQLITE_FULL, StoreErrc::full},
                                                           {SQLITE_IOERR_FSYNC, StoreErrc::io},
                                                           {SQLITE_READONLY, StoreErrc::read_only},
                                                           {SQLITE_IOERR_WRITE, StoreErrc::io}}};
  // Each write and each sync of some changes fails once, a checkpoint's too, and the same store goes on.
  for (std::uint64_t n = 0; n < 400; ++n) {
    const auto& [sqlite_code, expected] = kinds[n % kinds.size()];
    vfs.fail(vfs.operations() + n % 13, 1 + n % 3, sqlite_code);
    for (int i = 0; i < 6; ++i)
      if (!ledger.change(*store)) {
        EXPECT_EQ(ledger.errors.back().code, expected) << explain(ledger.errors.back());
        EXPECT_FALSE(ledger.errors.back().hint.empty());
        ledger.check(*store);
        ASSERT_FALSE(HasFailure()) << n;
      }
  }
  EXPECT_GT(ledger.errors.size(), 100U);
  EXPECT_GT(ledger.acknowledged, 500U);
  vfs.fail(0, 0, SQLITE_OK);
  EXPECT_TRUE(ledger.change(*store));
}

/// A small file system of its own, or a test that says why there is none.
class SmallDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, "size=2m,mode=0700") != 0)
      GTEST_SKIP() << "mounting a tmpfs needs root";
    mounted_ = true;
    options_.path = directory_ / "pake.db";
  }
  ~SmallDisk() override {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  bool remount(unsigned long flags) {
    return ::mount("tmpfs", directory_.path().c_str(), "tmpfs", MS_REMOUNT | flags, "size=2m") == 0;
  }
  std::unique_ptr<CredentialStore> make(Ledger& ledger) {
    return must(create_sqlite(options_, make_store_seed(ledger.keys.file, kFirst, kNow, ledger.keys.rng)));
  }

  TemporaryDirectory directory_;
  SqliteOptions options_;
  bool mounted_ = false;
};

TEST_F(SmallDisk, AFullOneIsToldAndRecoversWithoutARestart) {
  Ledger ledger(1);
  const auto store = make(ledger);
  std::ofstream(directory_ / "ballast") << std::string(1024 * 1024, 'x');
  for (int i = 0; i < 5000 && ledger.change(*store); ++i) {
  }
  ASSERT_FALSE(ledger.errors.empty());
  EXPECT_EQ(ledger.errors.back().code, StoreErrc::full) << explain(ledger.errors.back());
  ledger.check(*store);
  std::filesystem::remove(directory_ / "ballast");
  EXPECT_TRUE(ledger.change(*store));
  ledger.check(*store);
}

TEST_F(SmallDisk, AStoreOnAReadOnlyFileSystemIsRefusedInWords) {
  Ledger ledger(1);
  make(ledger).reset();
  ASSERT_TRUE(remount(MS_RDONLY));
  const auto opened = open_sqlite(options_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, StoreErrc::read_only) << explain(opened.error());
  EXPECT_FALSE(opened.error().hint.empty());
  ASSERT_TRUE(remount(0));
  EXPECT_TRUE(ledger.change(*must(open_sqlite(options_))));
}

}  // namespace
}  // namespace pake::store
