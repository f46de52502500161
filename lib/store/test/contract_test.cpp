// What every store promises, on each of them.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <thread>

#include "backends.h"
#include "pake/store/bucket.h"
#include "pake/store/shares.h"
#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class Contract : public ::testing::TestWithParam<NamedBackend> {
 protected:
  void SetUp() override {
    auto made = GetParam().make();
    if (!made) GTEST_SKIP() << made.error();
    backend = std::move(*made);
    seed = make_store_seed(keys.file, kFirst, kNow, keys.rng);
    store = must(backend->create(seed));
  }
  void reopen() {
    store.reset();
    store = must(backend->open());
  }
  void add(std::string_view name, std::string_view record = "record") {
    must(store->write_user({.row = keys.user(name, record)}, note("user.add", std::string(name))));
  }
  UserRow user(std::string_view name) {
    auto row = must(store->find_user(name));
    if (!row) throw std::runtime_error("no such user");
    return *row;
  }
  /// Writes the next revision of a user as `change` makes it.
  StoreStatus change(std::string_view name, const std::function<void(UserRow&)>& edit, Time at = kNow,
                     std::optional<std::string> selector = std::nullopt, std::string_view record = "record") {
    auto row = next_revision(user(name), at);
    edit(row);
    return store->write_user({.row = keys.sealed(row, record), .redeemed_selector = std::move(selector)},
                             note("user.change", std::string(name), at));
  }
  StoreStatus move_generation(std::string_view name, Time at = kNow) {
    return change(name, [](UserRow& row) { ++row.generation; }, at);
  }
  LoginRows login(std::string_view name, std::optional<BucketKey> device = std::nullopt) {
    return must(store->read_login({.name = std::string(name),
                                   .account = keys.bucket(name),
                                   .source = source,
                                   .new_rows = new_rows,
                                   .device = device}));
  }

  Keys keys{1};
  BucketKey source = keys.file.bucket_key(BucketKind::source, as_bytes("192.0.2.1"));
  BucketKey new_rows = keys.file.bucket_key(BucketKind::new_rows, as_bytes("192.0.2.1"));
  std::unique_ptr<Backend> backend;
  StoreSeed seed;
  std::unique_ptr<CredentialStore> store;
};

TEST_P(Contract, ANameThatIsMadeAnewBeginsAboveItsPast) {
  EXPECT_EQ(must(store->used_generation("alice")), 0U);
  add("alice");
  EXPECT_EQ(must(store->used_generation("alice")), 0U);  // the feed does not tell of a first row
  must(change("alice", [](UserRow& row) { ++row.generation, row.state = UserState::removed; }));
  const auto removed = user("alice").generation;
  EXPECT_EQ(must(store->used_generation("alice")), removed);
  ASSERT_EQ(must(store->purge_removed(kNow + 1ms)), 1U);

  auto row = keys.user("alice", "record");
  row.generation = removed;
  EXPECT_EQ(code_of(store->write_user({.row = keys.sealed(row, "record")}, note("x", "alice"))), StoreErrc::conflict);
  const auto last = must(store->last_change());
  row = new_user("alice", kFirst, kNow, keys.rng, removed);
  must(store->write_user({.row = keys.sealed(row, "record")}, note("x", "alice")));
  const auto changes = must(store->changes_after(last, 10));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].name, "alice");
  EXPECT_EQ(changes[0].generation, row.generation);
  EXPECT_EQ(changes[0].state, UserState::enabled);
}

INSTANTIATE_TEST_SUITE_P(On, Contract, ::testing::ValuesIn(backends()),
                         [](const auto& backend) { return backend.param.name; });

TEST_P(Contract, KeepsWhatItWasMadeWith) {
  EXPECT_EQ(store->info().key_file, keys.file.id());
  EXPECT_EQ(store->info().created_at, kNow);
  EXPECT_EQ(store->info().schema, 2U);
  must(store->check());
  EXPECT_EQ(must(store->fake_shares()), std::vector{seed.first_shares});
  reopen();
  EXPECT_EQ(store->info().key_file, keys.file.id());
  EXPECT_EQ(must(store->fake_shares()), std::vector{seed.first_shares});
  EXPECT_EQ(code_of(backend->create(seed)), StoreErrc::exists);
}

TEST_P(Contract, FindsAUserAsItWasWritten) {
  const auto row = keys.user("alice", "her record");
  must(store->write_user({.row = row}, note("user.add", "alice")));
  EXPECT_EQ(user("alice"), row);
  reopen();
  EXPECT_EQ(user("alice"), row);
  EXPECT_EQ(keys.record_of(user("alice")), "her record");
  EXPECT_FALSE(must(store->find_user("Alice")));
  EXPECT_FALSE(must(store->find_user("alic")));
  EXPECT_FALSE(must(store->find_user("")));
  EXPECT_FALSE(must(store->find_user(std::string_view("alice\0", 6))));
  EXPECT_FALSE(must(store->find_user("\xff\xfe")));
}

TEST_P(Contract, KeepsNamesOfAnyBytesApart) {
  for (const auto* name : {"a", "A", "\u00e9", "a%", "a_", "'; DROP TABLE users; --"}) add(name, name);
  for (const auto* name : {"a", "A", "\u00e9", "a%", "a_", "'; DROP TABLE users; --"})
    EXPECT_EQ(keys.record_of(user(name)), name);
  add(std::string(255, 'x'));
  EXPECT_EQ(must(store->list_users("", 100)).size(), 7U);
}

TEST_P(Contract, ListsUsersInTheOrderOfTheirBytesPageByPage) {
  for (const auto* name : {"bob", "alice", "Zoe", "\u00e9mile", "al"}) add(name);
  std::vector<std::string> names;
  std::string after;
  while (true) {
    const auto page = must(store->list_users(after, 2));
    EXPECT_LE(page.size(), 2U);
    if (page.empty()) break;
    for (const auto& row : page) names.push_back(row.name);
    after = names.back();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"Zoe", "al", "alice", "bob", "\u00e9mile"}));
}

TEST_P(Contract, AnswersALoginByARowOfOneSizeWhateverTheName) {
  add("alice", std::string(kMaxRecordSize, 'r'));
  add("invited", "");
  const auto found = login("alice");
  EXPECT_TRUE(found.found);
  EXPECT_EQ(found.user, user("alice"));
  for (const auto* name : {"nobody", "", "alice ", "ALICE", "\xff"}) {
    const auto none = login(name);
    EXPECT_FALSE(none.found) << name;
    EXPECT_EQ(none.user, seed.decoy_user) << name;
    EXPECT_EQ(none.user.sealed.size(), found.user.sealed.size());
    EXPECT_EQ(keys.record_of(none.user), "(none)");
  }
  EXPECT_TRUE(login("invited").found);
  EXPECT_EQ(login("invited").user.sealed.size(), found.user.sealed.size());
  EXPECT_EQ(keys.record_of(login("invited").user), "(none)");
}

TEST_P(Contract, ReadsTheBucketsOfALoginWithIt) {
  add("alice");
  EXPECT_FALSE(login("alice").account || login("alice").source || login("alice").device);
  const auto device = keys.file.bucket_key(BucketKind::device, as_bytes("device"));
  must(store->charge(std::vector<Charge>{{.key = keys.bucket("alice"), .refill_interval = 1h, .of_an_account = true},
                                         {.key = source, .refill_interval = 1min}},
                     kNow));
  must(store->charge(std::vector<Charge>{{.key = device, .refill_interval = 2h, .digest = HelloDigest{7}}}, kNow));
  const auto rows = login("alice", device);
  EXPECT_EQ(rows.account, (BucketRow{.full_at = kNow + 1h}));
  EXPECT_EQ(rows.source, (BucketRow{.full_at = kNow + 1min}));
  EXPECT_EQ(rows.device, (BucketRow{.full_at = kNow + 2h, .charged = {HelloDigest{7}}}));
  EXPECT_FALSE(login("alice").device);
  EXPECT_FALSE(login("bob").account);
  EXPECT_EQ(login("bob").source, rows.source);
}

TEST_P(Contract, ChargesAsTheSumsSay) {
  std::optional<BucketRow> expected;
  auto now = kNow;
  const auto key = keys.bucket("alice");
  for (int i = 0; i < 12; ++i) {
    Charge charge{.key = key, .refill_interval = 1h};
    if (i % 3 != 0) charge.digest = HelloDigest{static_cast<std::uint8_t>(i)};
    must(store->charge(std::vector{charge}, now));
    expected = charged(expected, charge, now);
    EXPECT_EQ(must(store->read_buckets(std::vector{key})).front(), expected) << i;
    now += i == 6 ? 24h : 10min;
  }
  EXPECT_EQ(expected->charged.size(), kMaxBucketDigests);
  for (const auto again : std::to_array<std::uint8_t>({11, 4, 1})) {
    const Charge charge{.key = key, .refill_interval = 1h, .digest = HelloDigest{again}};
    must(store->charge(std::vector{charge}, now));
    expected = charged(expected, charge, now);
    EXPECT_EQ(must(store->read_buckets(std::vector{key})).front(), expected) << int{again};
  }
  reopen();
  EXPECT_EQ(must(store->read_buckets(std::vector{key})).front(), expected);
}

TEST_P(Contract, ChargesEverybodyWhoComesAtOnce) {
  const auto key = keys.bucket("alice");
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) must(store->charge(std::vector{Charge{.key = key, .refill_interval = 1h}}, kNow));
    });
  threads.clear();
  EXPECT_EQ(must(store->read_buckets(std::vector{key})).front(), (BucketRow{.full_at = kNow + 100h}));
}

// A guess at a name that has a row makes none; the next one at a name without one does.
TEST_P(Contract, ChargesWhoMakesARowForIt) {
  const auto guess_at = [&](std::string_view name, Time at = kNow) {
    must(store->charge(std::vector<Charge>{{.key = keys.bucket(name),
                                            .refill_interval = 1h,
                                            .new_row = NewRowCharge{.key = new_rows, .refill_interval = 7s}},
                                           {.key = source, .refill_interval = 1min}},
                       at));
  };
  EXPECT_FALSE(login("alice").new_rows);
  for (int i = 0; i < 3; ++i) guess_at("alice");
  EXPECT_EQ(login("alice").new_rows, (BucketRow{.full_at = kNow + 7s}));
  EXPECT_EQ(login("alice").account, (BucketRow{.full_at = kNow + 3h}));
  guess_at("bob");
  EXPECT_EQ(must(store->read_code({.selector = "1", .new_rows = new_rows})).new_rows,
            (BucketRow{.full_at = kNow + 14s}));
  // A row that is full again, but not swept yet, is there; one that was swept is made anew.
  guess_at("bob", kNow + 2h);
  EXPECT_EQ(login("bob").new_rows, (BucketRow{.full_at = kNow + 14s}));
  must(store->expire({}, kNow + 5h));
  guess_at("bob", kNow + 5h);
  EXPECT_EQ(login("bob").new_rows, (BucketRow{.full_at = kNow + 5h + 7s}));
}

// The number of rows that the cap goes by counts those of who makes rows.
TEST_P(Contract, CountsTheRowsOfWhoMakesRows) {
  backend->max_ledger_rows = 4;
  reopen();
  for (int i = 0; i < 5; ++i)
    must(store->charge(std::vector<Charge>{{.key = keys.bucket(std::to_string(i)),
                                            .refill_interval = 1h,
                                            .of_an_account = true,
                                            .new_row = NewRowCharge{.key = new_rows, .refill_interval = 7s}}},
                       kNow + i * 1s));
  std::vector<BucketKey> all = {new_rows};
  for (int i = 0; i < 5; ++i) all.push_back(keys.bucket(std::to_string(i)));
  EXPECT_EQ(std::ranges::count_if(must(store->read_buckets(all)), [](const auto& row) { return row.has_value(); }), 4);
}

TEST_P(Contract, MakesBucketsFullOnRequest) {
  const std::vector both = {keys.bucket("alice"), keys.bucket("bob")};
  for (const auto& key : both) must(store->charge(std::vector{Charge{.key = key, .refill_interval = 1h}}, kNow));
  must(store->clear_buckets(std::vector{keys.bucket("alice"), keys.bucket("never")}, note("user.unthrottle", "alice")));
  const auto rows = must(store->read_buckets(both));
  EXPECT_FALSE(rows[0]);
  EXPECT_TRUE(rows[1]);
  EXPECT_EQ(must(store->read_audit("alice", 10)).front().note.action, "user.unthrottle");
}

TEST_P(Contract, SwapsARowByItsRevision) {
  add("alice", "old");
  const auto read = user("alice");
  auto mine = keys.sealed(next_revision(read, kNow + 1s), "mine");
  const auto yours = keys.sealed(next_revision(read, kNow + 2s), "yours");
  must(store->write_user({.row = mine}, note("user.passwd", "alice")));
  EXPECT_EQ(code_of(store->write_user({.row = yours}, note("user.passwd", "alice"))), StoreErrc::conflict);
  EXPECT_EQ(user("alice"), mine);
  mine.revision = 9;
  EXPECT_EQ(code_of(store->write_user({.row = keys.sealed(mine, "x")}, note("x"))), StoreErrc::conflict);
  EXPECT_EQ(code_of(store->write_user({.row = keys.user("alice", "again")}, note("x"))), StoreErrc::exists);
  EXPECT_EQ(code_of(store->write_user({.row = keys.sealed(next_revision(keys.user("bob", ""), kNow), "")}, note("x"))),
            StoreErrc::conflict);
  EXPECT_EQ(keys.record_of(user("alice")), "mine");
  EXPECT_EQ(must(store->read_audit("", 100)).size(), 2U);  // what failed left no trace
}

TEST_P(Contract, RefusesRowsThatAreNotSealed) {
  EXPECT_EQ(code_of(store->write_user({.row = new_user("alice", kFirst, kNow, keys.rng)}, note("x"))),
            StoreErrc::misuse);
  EXPECT_EQ(code_of(store->write_user({.row = keys.user("", "r")}, note("x"))), StoreErrc::misuse);
  auto none = keys.user("alice", "r");
  none.revision = 0;
  EXPECT_EQ(code_of(store->write_user({.row = none}, note("x"))), StoreErrc::misuse);
  EXPECT_EQ(code_of(store->put_invitation({.selector = "1", .name = "alice"}, note("x"))), StoreErrc::misuse);
}

TEST_P(Contract, LetsOneOfManyWritersWin) {
  add("alice");
  const auto read = user("alice");
  std::vector<UserRow> rows;
  for (int i = 0; i < 8; ++i) rows.push_back(keys.sealed(next_revision(read, kNow), std::to_string(i)));
  std::atomic<int> won = 0, lost = 0;
  std::vector<std::jthread> threads;
  threads.reserve(rows.size());
  for (const auto& row : rows)
    threads.emplace_back([&] {
      const auto written = store->write_user({.row = row}, note("x"));
      ++(written ? won : lost);
      if (!written) {
        EXPECT_EQ(written.error().code, StoreErrc::conflict);
      }
    });
  threads.clear();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
}

TEST_P(Contract, RedeemsAnInvitationInTheSwapAndOnce) {
  add("alice", "");
  const auto invitation = keys.invitation("1234567", "alice", kNow + 24h);
  must(store->put_invitation(invitation, note("user.invite", "alice")));
  const auto rows = must(store->read_code({.selector = "1234567", .code = keys.bucket("c"), .source = source}));
  EXPECT_TRUE(rows.found);
  EXPECT_EQ(rows.invitation, invitation);
  EXPECT_EQ(rows.user, user("alice"));
  EXPECT_EQ(must(store->find_invitation_of("alice")), invitation);

  const auto keep = [](UserRow&) {};
  EXPECT_EQ(code_of(change("alice", keep, kNow, "7654321")), StoreErrc::invitation_gone);
  add("bob");
  EXPECT_EQ(code_of(change("bob", keep, kNow, "1234567")), StoreErrc::invitation_gone);
  EXPECT_EQ(code_of(change("alice", keep, kNow + 24h, "1234567")), StoreErrc::invitation_gone);
  EXPECT_EQ(user("alice").revision, 1U);
  must(change("alice", keep, kNow + 24h - 1ms, "1234567", "enrolled"));
  EXPECT_EQ(keys.record_of(user("alice")), "enrolled");
  EXPECT_FALSE(must(store->find_invitation_of("alice")));
  EXPECT_EQ(code_of(change("alice", keep, kNow, "1234567")), StoreErrc::invitation_gone);
}

TEST_P(Contract, AnswersAnUnknownSelectorByTheDecoy) {
  add("alice");
  must(store->put_invitation(keys.invitation("1234567", "alice", kNow + 24h), note("user.invite", "alice")));
  must(store->charge(std::vector{Charge{.key = keys.bucket("c"), .refill_interval = 24h}}, kNow));
  const auto known = must(store->read_code({.selector = "1234567", .code = keys.bucket("c"), .source = source}));
  for (const auto* selector : {"", "1234568", "\xff"}) {
    const auto none = must(store->read_code({.selector = selector, .code = keys.bucket("c"), .source = source}));
    EXPECT_FALSE(none.found);
    EXPECT_EQ(none.invitation, seed.decoy_invitation);
    EXPECT_EQ(none.user, seed.decoy_user);
    EXPECT_EQ(none.invitation.sealed.size(), known.invitation.sealed.size());
    EXPECT_EQ(none.code, (BucketRow{.full_at = kNow + 24h}));
    EXPECT_TRUE(must(open_invitation(keys.file, none.invitation)).empty());
  }
}

// A login asks on another thread, when the name it was made of may have gone.
TEST_P(Contract, AQueryOutlivesWhatItWasMadeOf) {
  add(std::string(60, 'a'));
  const auto login = [&] {
    const std::string name(60, 'a');
    return LoginQuery{.name = name, .account = keys.bucket(name), .source = source};
  }();
  EXPECT_TRUE(must(store->read_login(login)).found);
  must(store->put_invitation(keys.invitation("1234567", std::string(60, 'a'), kNow + 24h), note("user.invite", "a")));
  const auto code = [&] {
    const std::string selector = "1234567";
    return CodeQuery{.selector = selector, .code = keys.bucket("c"), .source = source};
  }();
  EXPECT_TRUE(must(store->read_code(code)).found);
}

TEST_P(Contract, KeepsOneInvitationAUser) {
  add("alice");
  add("bob");
  must(store->put_invitation(keys.invitation("1111111", "alice", kNow + 24h), note("user.invite", "alice")));
  must(store->put_invitation(keys.invitation("2222222", "alice", kNow + 24h), note("user.invite", "alice")));
  EXPECT_EQ(must(store->find_invitation_of("alice"))->selector, "2222222");
  EXPECT_FALSE(must(store->read_code({.selector = "1111111"})).found);
  EXPECT_EQ(code_of(store->put_invitation(keys.invitation("2222222", "bob", kNow + 24h), note("x"))),
            StoreErrc::exists);
  EXPECT_EQ(must(store->find_invitation_of("alice"))->selector, "2222222");
  EXPECT_EQ(code_of(store->put_invitation(keys.invitation("3333333", "nobody", kNow + 24h), note("x"))),
            StoreErrc::not_found);
  must(store->withdraw_invitation("alice", note("user.withdraw", "alice")));
  EXPECT_EQ(code_of(store->withdraw_invitation("alice", note("x"))), StoreErrc::not_found);
  EXPECT_EQ(code_of(store->withdraw_invitation("", note("x"))), StoreErrc::not_found);
  EXPECT_FALSE(must(store->read_code({.selector = ""})).found);  // the decoy is still there
}

TEST_P(Contract, FeedsMovesOfGenerationsInOrder) {
  EXPECT_EQ(must(store->last_change()), 0U);
  add("alice");
  add("bob");
  EXPECT_EQ(must(store->last_change()), 0U);
  must(move_generation("alice", kNow + 1s));
  must(change("bob", [](UserRow& row) { row.state = UserState::disabled; }, kNow + 2s));
  must(change("alice", [](UserRow& row) { row.parameters = kSecond; }, kNow + 3s));  // a migration moves nothing
  must(move_generation("alice", kNow + 4s));
  const auto last = must(store->last_change());
  const auto all = must(store->changes_after(0, 10));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "alice");
  EXPECT_EQ(all[1].name, "bob");
  EXPECT_EQ(all[1].state, UserState::disabled);
  EXPECT_EQ(all[2].generation, user("alice").generation);
  EXPECT_EQ(all[2].sequence, last);
  EXPECT_LT(all[0].sequence, all[1].sequence);
  EXPECT_EQ(must(store->changes_after(all[0].sequence, 1)), std::vector{all[1]});
  EXPECT_TRUE(must(store->changes_after(last, 10)).empty());
  EXPECT_EQ(must(store->changes_since(kNow + 2s, 10)), (std::vector{all[1], all[2]}));
  reopen();
  EXPECT_EQ(must(store->changes_after(0, 10)), all);
  EXPECT_EQ(must(store->last_change()), last);
}

TEST_P(Contract, WakesWhoWaitsForChangesOfAnotherProcess) {
  add("alice");
  const auto other = must(backend->open());
  while (must(other->wait_for_changes(0ms))) {
  }
  EXPECT_FALSE(must(other->wait_for_changes(10ms)));
  std::jthread writer([&] { must(move_generation("alice")); });
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(must(other->wait_for_changes(60s)));
  EXPECT_LT(std::chrono::steady_clock::now() - started, 30s);
  writer.join();
  EXPECT_EQ(must(other->changes_after(0, 10)).size(), 1U);
}

TEST_P(Contract, SeesAChangeOfItsOwnToo) {
  add("alice");
  while (must(store->wait_for_changes(0ms))) {
  }
  must(move_generation("alice"));
  EXPECT_TRUE(must(store->wait_for_changes(60s)));
}

TEST_P(Contract, EndsAWaitOnRequest) {
  while (must(store->wait_for_changes(0ms))) {
  }
  store->interrupt_wait();
  EXPECT_EQ(code_of(store->wait_for_changes(60s)), StoreErrc::interrupted);
  std::jthread later([&] {
    std::this_thread::sleep_for(50ms);
    store->interrupt_wait();
  });
  EXPECT_EQ(code_of(store->wait_for_changes(60s)), StoreErrc::interrupted);
}

TEST_P(Contract, KeepsTheParametersOfARemovedName) {
  add("alice");
  must(store->put_invitation(keys.invitation("1234567", "alice", kNow + 24h), note("user.invite", "alice")));
  const auto device = keys.file.bucket_key(BucketKind::device, as_bytes("d"));
  must(store->add_device("alice", device, kNow));
  must(change("alice", [](UserRow& row) { row.state = UserState::removed, ++row.generation; }, kNow + 1s, {}, ""));
  EXPECT_EQ(login("alice").user.state, UserState::removed);
  EXPECT_FALSE(login("alice", device).device_is_known);
  EXPECT_FALSE(must(store->read_code({.selector = "1234567"})).found);
  EXPECT_EQ(code_of(store->put_invitation(keys.invitation("1", "alice", kNow + 24h), note("x"))), StoreErrc::not_found);
  EXPECT_EQ(code_of(store->add_device("alice", device, kNow)), StoreErrc::not_found);
  EXPECT_EQ(must(store->changes_after(0, 10)).back().state, UserState::removed);
  EXPECT_EQ(must(store->purge_removed(kNow + 1s)), 0U);
  EXPECT_EQ(must(store->purge_removed(kNow + 2s)), 1U);
  EXPECT_FALSE(login("alice").found);
  add("alice", "anew");
  EXPECT_EQ(keys.record_of(user("alice")), "anew");
}

TEST_P(Contract, CountsUsersByTheirParameters) {
  for (const auto* name : {"a", "b", "c"}) add(name);
  must(change("b", [](UserRow& row) { row.parameters = kSecond; }));
  must(change("c", [](UserRow& row) { row.state = UserState::disabled; }));
  const auto counts = must(store->count_users());
  ASSERT_EQ(counts.size(), 3U);
  EXPECT_EQ(counts[0].parameters, kFirst);
  EXPECT_EQ(counts[0].state, UserState::enabled);
  EXPECT_EQ(counts[0].users, 1U);
  EXPECT_EQ(counts[1].state, UserState::disabled);
  EXPECT_EQ(counts[2].parameters, kSecond);
}

TEST_P(Contract, KnowsTheNewestEightDevicesOfAUser) {
  add("alice");
  add("bob");
  std::vector<BucketKey> devices;
  for (int i = 0; i < 10; ++i) {
    devices.push_back(keys.file.bucket_key(BucketKind::device, as_bytes(std::to_string(i))));
    must(store->add_device("alice", devices.back(), kNow + i * 1s));
  }
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(login("alice", devices[i]).device_is_known, i >= 2) << i;
  EXPECT_EQ(must(store->devices_of("alice")), std::vector(devices.rbegin(), devices.rend() - 2));
  EXPECT_TRUE(must(store->devices_of("bob")).empty());
  EXPECT_FALSE(login("bob", devices[9]).device_is_known);
  EXPECT_FALSE(login("nobody", devices[9]).device_is_known);
  EXPECT_FALSE(login("alice").device_is_known);
  EXPECT_EQ(code_of(store->add_device("nobody", devices[0], kNow)), StoreErrc::not_found);
  EXPECT_EQ(code_of(store->add_device("", devices[0], kNow)), StoreErrc::not_found);
  must(move_generation("alice"));  // and all its tickets are void
  EXPECT_FALSE(login("alice", devices[9]).device_is_known);
}

TEST_P(Contract, MovesTheFakeSharesForwardOnly) {
  auto step = advanced(seed.first_shares, kSecond, kWholeShare / 4, kNow + 10s);
  must(store->append_fake_shares(step, note("keys.activate")));
  EXPECT_EQ(must(store->fake_shares()), (std::vector{seed.first_shares, step}));
  EXPECT_EQ(code_of(store->append_fake_shares(step, note("x"))), StoreErrc::conflict);
  auto back = step;
  ++back.step;
  back.shares[1].below /= 2;
  EXPECT_EQ(code_of(store->append_fake_shares(back, note("x"))), StoreErrc::misuse);
  auto next = advanced(step, kSecond, kWholeShare, kNow + 20s);
  next.window_ends = kNow + 24h;
  must(store->append_fake_shares(next, note("keys.advance")));
  reopen();
  EXPECT_EQ(must(store->fake_shares()).back(), next);
}

TEST_P(Contract, WritesDownEveryChange) {
  add("alice");
  must(store->audit({.at = kNow, .actor = "operator", .action = "config.reload", .name = {}, .detail = "ok \u00e9"}));
  must(move_generation("alice"));
  const auto rows = must(store->read_audit("", 10));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].note.action, "user.change");
  EXPECT_EQ(rows[1].note,
            (AuditNote{.at = kNow, .actor = "operator", .action = "config.reload", .name = {}, .detail = "ok \u00e9"}));
  EXPECT_GT(rows[0].id, rows[1].id);
  EXPECT_EQ(must(store->read_audit("alice", 10)).size(), 2U);
  EXPECT_EQ(must(store->read_audit("alice", 1)).front().id, rows[0].id);
}

TEST_P(Contract, ForgetsWhatTimeHasMadeVoid) {
  add("alice");
  const auto device = keys.file.bucket_key(BucketKind::device, as_bytes("d"));
  must(move_generation("alice"));
  must(store->add_device("alice", device, kNow));
  must(store->put_invitation(keys.invitation("1234567", "alice", kNow + 1h), note("user.invite", "alice")));
  must(store->charge(std::vector<Charge>{{.key = keys.bucket("a"), .refill_interval = 1h},
                                         {.key = keys.bucket("b"), .refill_interval = 2h}},
                     kNow));
  const ExpiryRule rule{.keep_generation_changes = 1h, .keep_devices = 1h, .keep_audit_rows = 1};
  must(store->expire(rule, kNow + 1h));
  auto buckets = must(store->read_buckets(std::vector{keys.bucket("a"), keys.bucket("b")}));
  EXPECT_FALSE(buckets[0]);
  EXPECT_TRUE(buckets[1]);
  EXPECT_FALSE(must(store->find_invitation_of("alice")));
  EXPECT_TRUE(login("alice", device).device_is_known);
  EXPECT_EQ(must(store->changes_after(0, 10)).size(), 1U);
  EXPECT_EQ(must(store->read_audit("", 10)).size(), 1U);
  const auto last = must(store->last_change());
  must(store->expire(rule, kNow + 1h + 1ms));
  EXPECT_FALSE(login("alice", device).device_is_known);
  EXPECT_TRUE(must(store->changes_after(0, 10)).empty());
  EXPECT_EQ(must(store->last_change()), last);  // numbers are never given twice
  EXPECT_FALSE(must(store->read_code({.selector = ""})).found);
}

TEST_P(Contract, CapsTheLedgerAndLetsNamesWithoutAccountsGoFirst) {
  backend->max_ledger_rows = 5;
  reopen();
  const auto charge = [&](std::string_view name, bool of_an_account, Time at) {
    must(store->charge(
        std::vector{Charge{.key = keys.bucket(name), .refill_interval = 1h, .of_an_account = of_an_account}}, at));
  };
  const auto has = [&](std::string_view name) {
    return must(store->read_buckets(std::vector{keys.bucket(name)})).front().has_value();
  };
  charge("alice", true, kNow);
  for (int i = 0; i < 20; ++i) charge("stranger" + std::to_string(i), false, kNow + i * 1s);
  EXPECT_TRUE(has("alice"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(has("stranger" + std::to_string(i)), i >= 16) << i;
  must(store->expire({}, kNow + 10h));
  EXPECT_FALSE(has("alice"));
  for (int i = 0; i < 5; ++i) charge("late" + std::to_string(i), false, kNow + 10h);  // the count began anew
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(has("late" + std::to_string(i))) << i;
}

TEST_P(Contract, DoesNotOpenARowThatWasMovedOrAltered) {
  add("alice", "hers");
  auto row = user("alice");
  EXPECT_EQ(keys.record_of(row), "hers");
  const auto broken = [&](const std::function<void(UserRow&)>& edit) {
    auto edited = row;
    edit(edited);
    return code_of(open_user(keys.file, edited));
  };
  EXPECT_EQ(broken([](UserRow& r) { r.name = "mallory"; }), StoreErrc::corrupt);
  EXPECT_EQ(broken([](UserRow& r) { ++r.revision; }), StoreErrc::corrupt);
  EXPECT_EQ(broken([](UserRow& r) { ++r.generation; }), StoreErrc::corrupt);
  EXPECT_EQ(broken([](UserRow& r) { ++r.parameters.epoch; }), StoreErrc::corrupt);
  EXPECT_EQ(broken([](UserRow& r) { ++r.parameters.suite; }), StoreErrc::corrupt);
  EXPECT_EQ(broken([](UserRow& r) { ++r.parameters.ksf_profile; }), StoreErrc::corrupt);
  EXPECT_EQ(broken([](UserRow& r) { r.state = UserState::disabled; }), StoreErrc::corrupt);
  EXPECT_EQ(broken([](UserRow& r) { r.sealed.pop_back(); }), StoreErrc::corrupt);
  EXPECT_EQ(broken([](UserRow& r) { r.sealed[50] ^= 1; }), StoreErrc::corrupt);
  EXPECT_EQ(code_of(open_user(Keys(2).file, row)), StoreErrc::corrupt);
}

}  // namespace
}  // namespace pake::store
