#include "pake/store/data.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;

const FirstStart kFirstStart = {.make_keys = [](std::uint32_t epoch) -> StoreResult<std::vector<EpochKeys>> {
                                  std::vector<EpochKeys> made;
                                  made.push_back({.parameters = {.epoch = epoch, .suite = 1, .ksf_profile = 2}});
                                  return made;
                                },
                                .parameters = kFirst};

struct Data {
  explicit Data(std::uint64_t seed = 1) : rng(seed) {}

  TemporaryDirectory root;
  DataPlace place{.directory = root / "data"};
  SeededRng rng;

  StoreResult<OpenedData> start() { return open_or_create_data(place, kFirstStart, kNow, rng); }
  std::filesystem::path file(const char* name) const { return place.directory / name; }
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return status.st_mode & 07777U;
}

TEST(Data, IsMadeAtTheFirstStartAndClosedToOthers) {
  Data data;
  EXPECT_EQ(code_of(open_data(data.place)), StoreErrc::missing);
  {
    const auto first = must(data.start());
    EXPECT_TRUE(first.is_first_start);
    EXPECT_EQ(first.keys.newest_epoch(), 1U);
    EXPECT_EQ(mode_of(data.place.directory), 0700U);
    for (const auto* name : {"pake.db", "pake.key", "pake.db-wal"}) EXPECT_EQ(mode_of(data.file(name)), 0600U) << name;
  }
  const auto again = must(data.start());
  EXPECT_FALSE(again.is_first_start);
  EXPECT_EQ(again.keys.id(), again.store->info().key_file);
  must(open_data(data.place));
}

TEST(Data, IsNotMadeAnewWhereAPartIsGone) {
  Data data;
  must(data.start());
  std::filesystem::rename(data.file("pake.key"), data.root / "away");
  const auto without_key = data.start();
  EXPECT_EQ(code_of(without_key), StoreErrc::key_file_missing);
  EXPECT_NE(without_key.error().message.find("its key file"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(data.file("pake.key")));
  std::filesystem::rename(data.root / "away", data.file("pake.key"));

  for (const auto* name : {"pake.db", "pake.db-wal", "pake.db-shm"}) std::filesystem::remove(data.file(name));
  const auto without_store = data.start();
  EXPECT_EQ(code_of(without_store), StoreErrc::missing);
  EXPECT_NE(without_store.error().message.find("its store"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(data.file("pake.db")));

  must(create_store_under(data.place, kFirst, kNow, data.rng));
  EXPECT_FALSE(must(data.start()).is_first_start);
  EXPECT_EQ(code_of(create_store_under(data.place, kFirst, kNow, data.rng)), StoreErrc::exists);
}

TEST(Data, OfTwoServersDoNotMix) {
  Data one;
  Data two(2);
  must(one.start());
  must(two.start());
  std::filesystem::copy_file(two.file("pake.key"), one.file("pake.key"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(code_of(one.start()), StoreErrc::key_mismatch);
}

TEST(Data, SwappedFilesAreCalledSo) {
  Data data;
  must(data.start());
  const DataPlace swapped{
      .directory = data.place.directory, .store = data.file("pake.key").string(), .key_file = data.file("pake.db")};
  const auto opened = open_data(swapped);
  EXPECT_EQ(code_of(opened), StoreErrc::key_file_foreign);
  EXPECT_NE(opened.error().message.find("swapped"), std::string::npos);
  const DataPlace twice{.directory = data.place.directory, .store = data.file("pake.key").string()};
  const auto store = open_data(twice);
  EXPECT_EQ(code_of(store), StoreErrc::not_a_store);
  EXPECT_NE(store.error().message.find("swapped"), std::string::npos);
}

TEST(Data, AFirstStartThatWasKilledGoesOn) {
  // Before the store: the next start makes both anew.
  Data early;
  std::filesystem::create_directory(early.place.directory);
  must(create_key_file(early.file("pake.key.new"), Keys(9).file));
  EXPECT_TRUE(must(early.start()).is_first_start);
  EXPECT_FALSE(std::filesystem::exists(early.file("pake.key.new")));
  must(open_data(early.place));

  // While the store was made: its file is there, with nothing in it.
  Data empty;
  std::filesystem::create_directory(empty.place.directory);
  must(create_key_file(empty.file("pake.key.new"), Keys(9).file));
  std::ofstream(empty.file("pake.db"));
  EXPECT_TRUE(must(empty.start()).is_first_start);

  // After the store: the key file takes its name.
  Data late;
  must(late.start());
  std::filesystem::rename(late.file("pake.key"), late.file("pake.key.new"));
  EXPECT_FALSE(must(late.start()).is_first_start);
  EXPECT_TRUE(std::filesystem::exists(late.file("pake.key")));

  // A key file that was left over, but is another store's.
  Data other;
  must(other.start());
  std::filesystem::remove(other.file("pake.key"));
  must(create_key_file(other.file("pake.key.new"), Keys(9).file));
  EXPECT_EQ(code_of(other.start()), StoreErrc::key_file_missing);
}

TEST(Data, OfAFirstStartThatWasKilledNothingIsLeft) {
  Data data;
  std::filesystem::create_directory(data.place.directory);
  for (const auto* name : {"pake.key.new.tmp.123.0", "pake.key.new.tmp.4.7", "pake.key.tmp"})
    std::ofstream(data.file(name)) << "x";
  must(data.start());
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(data.place.directory))
    left.insert(entry.path().filename().string());
  EXPECT_EQ(left, (std::set<std::string>{"pake.db", "pake.key", "pake.key.tmp"}));
}

// The second one waits for the first one, and then finds what it has made.
TEST(Data, OfTwoFirstStartsAtOnceOneMakesIt) {
  Data data;
  StoreResult<OpenedData> second = fail(StoreErrc::missing, "not run");
  std::promise<void> has_ended;
  std::jthread other;
  auto slow = kFirstStart;
  slow.make_keys = [&](std::uint32_t epoch) {
    other = std::jthread([&] {
      SeededRng rng(2);
      second = open_or_create_data(data.place, kFirstStart, kNow, rng);
      has_ended.set_value();
    });
    // It would have ended by now if it did not wait.
    EXPECT_EQ(has_ended.get_future().wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
    return kFirstStart.make_keys(epoch);
  };
  const auto first = must(open_or_create_data(data.place, slow, kNow, data.rng));
  other.join();
  EXPECT_TRUE(first.is_first_start);
  const auto found = must(std::move(second));
  EXPECT_FALSE(found.is_first_start);
  EXPECT_EQ(found.keys.id(), first.keys.id());
  EXPECT_EQ(must(open_data(data.place)).keys.id(), first.keys.id());
}

TEST(Data, IsCopiedWhileInUseAndRestored) {
  Data data;
  const auto opened = must(data.start());
  Keys rows(1);
  const auto add = [&](std::string_view name) {
    auto row = new_user(name, kFirst, kNow, rows.rng);
    must(seal_user(opened.keys, row, as_bytes("record"), rows.rng));
    must(opened.store->write_user({.row = row}, note("user.add", std::string(name))));
  };
  add("alice");
  must(back_up_sqlite(data.file("pake.db"), data.root / "copy.db"));
  must(back_up_key_file(data.file("pake.key"), data.root / "copy.key"));
  EXPECT_EQ(mode_of(data.root / "copy.db"), 0600U);
  EXPECT_EQ(code_of(back_up_sqlite(data.file("pake.db"), data.root / "copy.db")), StoreErrc::exists);
  EXPECT_EQ(code_of(back_up_sqlite(data.file("none.db"), data.root / "other.db")), StoreErrc::missing);
  EXPECT_FALSE(std::filesystem::exists(data.root / "other.db"));
  add("bob");

  const auto restored =
      must(open_data({.store = (data.root / "copy.db").string(), .key_file = data.root / "copy.key"}));
  const auto alice = must(restored.store->find_user("alice"));
  ASSERT_TRUE(alice);
  EXPECT_TRUE(must(open_user(restored.keys, *alice)));
  EXPECT_FALSE(must(restored.store->find_user("bob")));
}

TEST(Data, ThatIsNoStoreIsCalledSo) {
  Data data;
  must(data.start());
  std::filesystem::remove(data.file("pake.db-wal"));
  std::ofstream(data.file("pake.db"), std::ios::trunc) << "hello, I am a text and longer than sixteen bytes";
  EXPECT_EQ(code_of(open_data(data.place)), StoreErrc::not_a_store);
  std::filesystem::remove(data.file("pake.db"));
  std::filesystem::create_directory(data.file("pake.db"));
  EXPECT_EQ(code_of(open_data(data.place)), StoreErrc::not_a_store);
}

}  // namespace
}  // namespace pake::store
