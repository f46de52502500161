// What was acknowledged is there after a power cut, a fault of the device, a full one, one that takes no changes, kill
// -9.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "backends.h"
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
    acknowledged_moves += user.acknowledged && user.acknowledged->generation != row.generation ? 1 : 0;
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
      if (row) EXPECT_EQ(keys.record_of(*row), "record " + std::to_string(row->revision));
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
    if (made) EXPECT_TRUE(opened) << at;
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

class Kill : public ::testing::TestWithParam<NamedBackend> {};

INSTANTIATE_TEST_SUITE_P(On, Kill, ::testing::ValuesIn(backends()),
                         [](const auto& backend) { return backend.param.name; });

// A child makes changes and says so by a pipe; it is killed whenever it suits us. The changes are a function of their
// number, so that the parent knows what must be there.
TEST_P(Kill, LosesNoAcknowledgedChangeOfAThousand) {
  auto made = GetParam().make();
  if (!made) GTEST_SKIP() << made.error();
  const auto backend = std::move(*made);
  Keys keys(1);
  must(backend->create(make_store_seed(keys.file, kFirst, kNow, keys.rng))).reset();
  const auto name_of = [](std::uint64_t change) { return "user" + std::to_string(change % 7); };
  std::uint64_t done = 0;
  int kills = 0;
  while (done < 1000) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      Keys of_child(1000 + done);
      auto store = backend->open();
      if (!store) ::_exit(1);
      for (auto change = done;; ++change) {
        auto found = (*store)->find_user(name_of(change));
        if (!found) ::_exit(1);
        // The record says the number of the change.
        auto row = *found ? next_revision(**found, kNow) : new_user(name_of(change), kFirst, kNow, of_child.rng);
        row.changed_at = kNow + std::chrono::milliseconds(static_cast<std::int64_t>(change));
        if (!seal_user(keys.file, row, as_bytes(std::to_string(change)), of_child.rng)) ::_exit(1);
        if (!(*store)->write_user({.row = row}, note("x", row.name))) ::_exit(1);
        if (::write(pipe[1], &change, sizeof change) != sizeof change) ::_exit(1);
      }
    }
    ::close(pipe[1]);
    std::array<std::uint8_t, 1> drawn{};
    keys.rng.fill(drawn);
    // So many changes, and then the blow falls somewhere within the next ones.
    for (std::uint64_t change = 0, left = 1 + drawn[0] % 64U;
         ::read(pipe[0], &change, sizeof change) == sizeof change;) {
      EXPECT_EQ(change, done);
      done = change + 1;
      if (--left == 0) {
        ::usleep(drawn[0] * 17U);
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        ++kills;
      }
    }
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself, exit " << WEXITSTATUS(status);

    const auto store = must(backend->open());
    const auto audit = must(store->read_audit("", 1));
    const auto rows = audit.front().id;
    EXPECT_GE(rows, done);
    // At most one more was kept than the child could say.
    std::uint64_t newest = 0;
    for (std::uint64_t user = 0; user < std::min<std::uint64_t>(7, done); ++user) {
      const auto row = must(store->find_user(name_of(user)));
      ASSERT_TRUE(row);
      const auto change = std::stoull(keys.record_of(*row));
      EXPECT_EQ(change % 7, user);
      EXPECT_GE(change + 7, done);  // the last change of this user that was acknowledged, or a later one
      newest = std::max<std::uint64_t>(newest, change);
    }
    EXPECT_GE(newest + 1, done);
    EXPECT_LE(newest, done);
    done = newest + 1;
    ASSERT_FALSE(HasFailure()) << "after " << kills << " kills";
  }
  EXPECT_GE(kills, 15);
}

}  // namespace
}  // namespace pake::store
