#include "pake/store/migration.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;
using namespace std::chrono_literals;

EpochKeys epoch_keys(const CredentialParameters& parameters) {
  return {.parameters = parameters, .created_at = kNow, .public_key = Buffer{1, 2, 3}};
}

class Migration : public ::testing::Test {
 protected:
  void SetUp() override {
    must(keys.file.add(epoch_keys(kFirst)));
    store = must(backend.create(make_store_seed(keys.file, kFirst, kNow, keys.rng)));
    for (int i = 0; i < 10; ++i)
      must(store->write_user({.row = keys.user("user" + std::to_string(i), "r")}, note("user.add")));
  }
  void move(int user) {
    auto row = next_revision(*must(store->find_user("user" + std::to_string(user))), kNow);
    row.parameters = kSecond;
    must(store->write_user({.row = keys.sealed(row, "r2")}, note("user.migrate")));
  }
  FakeShareStep last() { return must(store->fake_shares()).back(); }

  Keys keys{1};
  SqliteBackend backend;
  std::unique_ptr<CredentialStore> store;
};

TEST_F(Migration, NeedsTheKeysFirst) {
  EXPECT_EQ(code_of(activate(*store, keys.file, kSecond, {}, note("x"))), StoreErrc::key_file_missing);
  EXPECT_EQ(code_of(activate(*store, keys.file, kFirst, {}, note("x"))), StoreErrc::exists);
  EXPECT_FALSE(must(follow_migration(*store, note("x"))));
  EXPECT_EQ(last().step, 1U);
}

TEST_F(Migration, MovesNamesWithoutAnAccountAsUsersMove) {
  must(keys.file.add(epoch_keys(kSecond)));
  const auto step = must(activate(*store, keys.file, kSecond, kNow + 24h, note("keys.activate")));
  EXPECT_EQ(step.effective_at, kNow + 10s);
  EXPECT_EQ(last(), step);
  EXPECT_EQ(parameters_of(step, 0), kFirst);  // nobody has moved yet
  move(0);
  EXPECT_FALSE(must(follow_migration(*store, note("x", {}, kNow + 9s))));  // the last step first takes effect
  move(1);
  move(2);
  const auto third = must(follow_migration(*store, note("keys.follow", {}, kNow + 10s)));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->effective_at, kNow + 20s);
  EXPECT_EQ(third->window_ends, kNow + 24h);
  EXPECT_EQ(parameters_of(*third, static_cast<std::uint32_t>(kWholeShare * 29 / 100)), kSecond);
  EXPECT_EQ(parameters_of(*third, static_cast<std::uint32_t>(kWholeShare * 31 / 100)), kFirst);
  EXPECT_FALSE(must(follow_migration(*store, note("x", {}, kNow + 20s))));  // nothing has moved since
  // A user who falls back (restored, removed) moves no name back.
  auto row = next_revision(*must(store->find_user("user0")), kNow);
  row.state = UserState::removed;
  must(store->write_user({.row = keys.sealed(row, "")}, note("user.remove")));
  EXPECT_FALSE(must(follow_migration(*store, note("x", {}, kNow + 30s))));

  EXPECT_TRUE(may_log_in(last(), kFirst, kNow + 24h - 1ms));
  EXPECT_FALSE(may_log_in(last(), kFirst, kNow + 24h));
  EXPECT_TRUE(may_log_in(last(), kSecond, kNow + 24h));
  const auto over = must(follow_migration(*store, note("keys.follow", {}, kNow + 24h)));
  ASSERT_TRUE(over);
  EXPECT_EQ(parameters_of(*over, UINT32_MAX), kSecond);
  EXPECT_FALSE(must(follow_migration(*store, note("x", {}, kNow + 48h))));
}

TEST_F(Migration, IsOverWhenEverybodyHasMoved) {
  must(keys.file.add(epoch_keys(kSecond)));
  must(activate(*store, keys.file, kSecond, {}, note("keys.activate")));
  for (int i = 0; i < 10; ++i) move(i);
  EXPECT_EQ(must(follow_migration(*store, note("x", {}, kNow + 10s)))->shares.back().below, kWholeShare);
  EXPECT_TRUE(may_log_in(last(), kFirst, kNow + 1000h));  // no window was set
}

TEST_F(Migration, IsShownWithItsProgress) {
  must(keys.file.add(epoch_keys(kSecond)));
  auto status = must(key_status(*store, keys.file));
  ASSERT_EQ(status.epochs.size(), 2U);
  EXPECT_TRUE(status.epochs[0].is_current);
  EXPECT_EQ(status.epochs[0].users, 10U);
  EXPECT_FALSE(status.epochs[1].is_current);
  EXPECT_TRUE(status.epochs[1].fingerprint.starts_with("SHA256:"));
  EXPECT_TRUE(status.is_complete);

  must(activate(*store, keys.file, kSecond, kNow + 24h, note("keys.activate")));
  move(3);
  status = must(key_status(*store, keys.file));
  EXPECT_EQ(status.epochs[0].users, 9U);
  EXPECT_EQ(status.epochs[1].users, 1U);
  EXPECT_TRUE(status.epochs[1].is_current);
  EXPECT_EQ(status.window_ends, kNow + 24h);

  // On a node that has not got the new key file.
  must(keys.file.drop_epoch(2));
  status = must(key_status(*store, keys.file));
  EXPECT_TRUE(status.epochs[1].fingerprint.empty());
  EXPECT_FALSE(status.is_complete);
}

}  // namespace
}  // namespace pake::store
