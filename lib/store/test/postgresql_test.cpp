// What is PostgreSQL's alone: URLs, several hosts, a server that dies and comes back, tables of somebody else.
#include "pake/store/postgresql.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "pake/store/data.h"
#include "postgresql_server.h"

namespace pake::store {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class Postgresql : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto got = PostgresqlServer::get();
    if (!got) GTEST_SKIP() << got.error();
    server = *got;
    url = server->make_database();
  }
  std::unique_ptr<CredentialStore> make() {
    return must(create_postgresql({.url = url}, make_store_seed(keys.file, kFirst, kNow, keys.rng)));
  }
  StoreStatus add(CredentialStore& store, std::string_view name) {
    return store.write_user({.row = keys.user(name, "r")}, note("user.add", std::string(name)));
  }
  [[nodiscard]] std::string database() const { return url.substr(19, url.find('?') - 19); }

  Keys keys{1};
  PostgresqlServer* server = nullptr;
  std::string url;
};

TEST_F(Postgresql, NamesMistakesInTheUrl) {
  const auto open = [](const std::string& of) { return open_postgresql({.url = of, .timeout = 2s}); };
  EXPECT_EQ(code_of(open("postgresql://pake:secret@127.0.0.1/db")), StoreErrc::misuse);
  EXPECT_EQ(open("postgresql://pake:secret@127.0.0.1/db").error().message.find("secret"), std::string::npos);
  EXPECT_EQ(code_of(open("postgresql://[::1/db")), StoreErrc::misuse);
  EXPECT_EQ(code_of(open("postgresql://a,b/db?port=1,2,3")), StoreErrc::misuse);
  EXPECT_EQ(code_of(open(server->url("nothing"))), StoreErrc::missing);
  EXPECT_EQ(code_of(open("postgresql://nobody@/postgres?host=" + url.substr(url.find("host=") + 5))),
            StoreErrc::permission);
  EXPECT_EQ(code_of(open(url)), StoreErrc::missing);
  const auto unreachable = open("postgresql://pake@127.0.0.1:1,127.0.0.1:2/db");
  EXPECT_EQ(code_of(unreachable), StoreErrc::unreachable);
  EXPECT_FALSE(unreachable.error().hint.empty());
}

TEST_F(Postgresql, FindsTheNodeThatAnswersAmongSeveral) {
  make();
  const auto host = url.substr(url.find("host=") + 5);
  // The first refuses, the second says nothing (198.51.100.0/24 is for documentation), the third is it.
  const auto several = "postgresql://pake@/" + database() + "?host=127.0.0.1,198.51.100.1," + host + "&port=1,1,5432";
  const auto store = must(open_postgresql({.url = several, .timeout = 6s}));
  must(add(*store, "alice"));
  EXPECT_EQ(store->info().where.find("?"), std::string::npos);
}

TEST_F(Postgresql, GoesOnByItselfWhenTheServerIsBack) {
  const auto store = make();
  must(add(*store, "alice"));
  while (must(store->wait_for_changes(0ms))) {
  }
  server->stop();
  EXPECT_EQ(code_of(store->find_user("alice")), StoreErrc::unreachable);
  EXPECT_EQ(code_of(add(*store, "bob")), StoreErrc::unreachable);
  EXPECT_EQ(code_of(store->check()), StoreErrc::unreachable);
  EXPECT_EQ(code_of(store->wait_for_changes(0ms)), StoreErrc::unreachable);
  ASSERT_TRUE(server->start());
  EXPECT_TRUE(must(store->find_user("alice")));
  must(add(*store, "bob"));
  must(store->check());
  auto row = next_revision(*must(store->find_user("alice")), kNow);
  ++row.generation;
  must(store->write_user({.row = keys.sealed(row, "r")}, note("x", "alice")));
  EXPECT_TRUE(must(store->wait_for_changes(60s)));
}

TEST_F(Postgresql, LosesNothingAcknowledgedWhenTheServerIsKilledUnderLoad) {
  const auto store = make();
  std::atomic<bool> stop = false;
  std::vector<std::string> acknowledged;
  std::jthread writer([&] {
    for (int i = 0; !stop; ++i) {
      const auto name = "user" + std::to_string(i);
      if (add(*store, name))
        acknowledged.push_back(name);
      else
        std::this_thread::sleep_for(20ms);
    }
  });
  for (int kill = 0; kill < 3; ++kill) {
    std::this_thread::sleep_for(300ms);
    server->kill();
    ASSERT_TRUE(server->start());
  }
  std::this_thread::sleep_for(200ms);
  stop = true;
  writer.join();
  EXPECT_GT(acknowledged.size(), 50U);
  for (const auto& name : acknowledged) EXPECT_TRUE(must(store->find_user(name))) << name;
}

TEST_F(Postgresql, DoesNotWaitForEverOnAServerThatSaysNothing) {
  const auto store =
      must(create_postgresql({.url = url, .timeout = 1s}, make_store_seed(keys.file, kFirst, kNow, keys.rng)));
  must(add(*store, "alice"));
  // Somebody holds the row.
  std::jthread holder([&] {
    static_cast<void>(
        server->execute(database(), "BEGIN; SELECT * FROM pake_users FOR UPDATE; SELECT pg_sleep(4); COMMIT"));
  });
  std::this_thread::sleep_for(500ms);
  const auto row = next_revision(*must(store->find_user("alice")), kNow);
  const auto written = store->write_user({.row = keys.sealed(row, "r")}, note("x", "alice"));
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().code == StoreErrc::busy || written.error().code == StoreErrc::unreachable)
      << explain(written.error());
  holder.join();
  must(store->write_user({.row = keys.sealed(row, "r")}, note("x", "alice")));
}

TEST_F(Postgresql, DoesNotAcknowledgeWhatNoStandbyHasConfirmed) {
  const auto store =
      must(create_postgresql({.url = url, .timeout = 1s}, make_store_seed(keys.file, kFirst, kNow, keys.rng)));
  must(add(*store, "alice"));
  ASSERT_TRUE(server->execute(database(), "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"));
  ASSERT_TRUE(server->execute(database(), "SELECT pg_reload_conf()"));
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(code_of(add(*store, "bob")), StoreErrc::unreachable);
  // An operator who ends the wait by hand makes the server acknowledge, with a warning.
  StoreStatus cancelled;
  std::jthread writer([&] {
    const auto patient = must(open_postgresql({.url = url, .timeout = 30s}));
    cancelled = add(*patient, "carol");
  });
  std::this_thread::sleep_for(1500ms);
  EXPECT_TRUE(
      server->execute("postgres", "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"));
  writer.join();
  EXPECT_EQ(code_of(cancelled), StoreErrc::unreachable);
  ASSERT_TRUE(server->execute("postgres", "ALTER SYSTEM RESET synchronous_standby_names"));
  ASSERT_TRUE(server->execute("postgres", "SELECT pg_reload_conf()"));
  std::this_thread::sleep_for(500ms);
  must(add(*store, "dave"));
}

TEST_F(Postgresql, ThatTakesNoChangesIsSaidSo) {
  const auto store = make();
  ASSERT_TRUE(server->execute(database(), "ALTER DATABASE " + database() + " SET default_transaction_read_only = on"));
  // A connection that is open goes on; a new one finds no node that takes changes.
  const auto opened = open_postgresql({.url = url, .timeout = 2s});
  EXPECT_EQ(code_of(opened), StoreErrc::unreachable) << (opened ? "" : explain(opened.error()));
}

TEST_F(Postgresql, OfANewerPakeIsRefused) {
  make();
  ASSERT_TRUE(server->execute(database(), "UPDATE pake_meta SET schema = 99"));
  EXPECT_EQ(code_of(open_postgresql({.url = url})), StoreErrc::newer_schema);
  ASSERT_TRUE(server->execute(database(), "UPDATE pake_meta SET schema = 1"));
  ASSERT_TRUE(server->execute(database(), "DROP TABLE pake_users CASCADE"));
  EXPECT_EQ(code_of(must(open_postgresql({.url = url}))->find_user("alice")), StoreErrc::corrupt);
}

TEST_F(Postgresql, IsOpenedWithItsKeyFile) {
  const TemporaryDirectory directory;
  const DataPlace place{.directory = directory.path(), .store = url};
  const FirstStart first{.make_keys = [](std::uint32_t epoch) -> StoreResult<std::vector<EpochKeys>> {
                           std::vector<EpochKeys> made;
                           made.push_back({.parameters = {.epoch = epoch, .suite = 1, .ksf_profile = 2}});
                           return made;
                         },
                         .parameters = kFirst};
  EXPECT_TRUE(must(open_or_create_data(place, first, kNow, keys.rng)).is_first_start);
  EXPECT_FALSE(must(open_or_create_data(place, first, kNow, keys.rng)).is_first_start);
  // A second node has a copy of the key file, or says that it has none.
  const TemporaryDirectory second;
  const DataPlace node{.directory = second.path(), .store = url};
  EXPECT_EQ(code_of(open_or_create_data(node, first, kNow, keys.rng)), StoreErrc::key_file_missing);
  must(back_up_key_file(directory / "pake.key", second / "pake.key"));
  EXPECT_FALSE(must(open_or_create_data(node, first, kNow, keys.rng)).is_first_start);
}

}  // namespace
}  // namespace pake::store
