#include "pake/client/known_hosts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace pake::client {
namespace {

namespace fs = std::filesystem;

RememberedTicket a_ticket(std::uint8_t byte) {
  return {.stored = {.ticket = Buffer(160, byte),
                     .secret = channel::ResumptionSecret::make([&](auto out) { out[0] = byte; })},
          .lent_at = 1'000,
          .lifetime = 60};
}

RememberedHost box(std::uint8_t byte = 7) {
  return {
      .id = {.user = "alice", .address = "box:8088"}, .server_public_key = Buffer(32, byte), .ticket = a_ticket(byte)};
}

bool are_equal(const RememberedHost& a, const RememberedHost& b) {
  const auto one = encode(a);
  const auto other = encode(b);
  return std::ranges::equal(one.reveal(), other.reveal());
}

class HostMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto name = (fs::temp_directory_path() / "pake-memory-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] HostMemory memory() const { return HostMemory(root_ / "state" / "pake" / "hosts"); }
  static mode_t mode_of(const fs::path& path) {
    struct stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0);
    return facts.st_mode & 07777U;
  }
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path root_;
};

TEST(RememberedHostFile, IsWhatWasWritten) {
  for (const bool has_ticket : {true, false}) {
    auto host = box();
    if (!has_ticket) host.ticket.reset();
    const auto bytes = encode(host);
    const auto decoded = decode_remembered_host(bytes.reveal());
    ASSERT_TRUE(decoded);
    EXPECT_TRUE(are_equal(*decoded, host));
    EXPECT_EQ(decoded->ticket.has_value(), has_ticket);
  }
}

TEST(RememberedHostFile, EveryByteAndTheLengthMatter) {
  const auto bytes = encode(box());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = to_buffer(bytes.reveal());
    changed[at] ^= 1U;
    EXPECT_FALSE(decode_remembered_host(changed)) << "byte " << at;
    EXPECT_FALSE(decode_remembered_host(bytes.reveal().first(at))) << "cut at " << at;
  }
  auto longer = to_buffer(bytes.reveal());
  longer.push_back(0);
  EXPECT_FALSE(decode_remembered_host(longer));
}

TEST_F(HostMemoryTest, KeepsFindsListsAndForgets) {
  const auto there = memory();
  EXPECT_FALSE(there.find(box().id).value());
  EXPECT_TRUE(there.list()->hosts.empty());
  EXPECT_FALSE(there.forget(box().id).value());

  ASSERT_TRUE(there.keep(box()));
  auto other = box(9);
  other.id.user = "bob";
  ASSERT_TRUE(there.keep(other));
  EXPECT_TRUE(are_equal(*there.find(box().id).value(), box()));
  const auto listed = there.list();
  ASSERT_EQ(listed->hosts.size(), 2U);
  EXPECT_EQ(listed->hosts[1].id.user, "bob");
  EXPECT_EQ(mode_of(there.directory()), 0700U);
  EXPECT_EQ(mode_of(there.path_of(box().id)), 0600U);

  ASSERT_TRUE(there.keep(box(8)));
  EXPECT_TRUE(are_equal(*there.find(box().id).value(), box(8)));
  EXPECT_TRUE(there.forget(box().id).value());
  EXPECT_FALSE(there.find(box().id).value());
  EXPECT_EQ(there.list()->hosts.size(), 1U);
}

TEST_F(HostMemoryTest, RemovesWhatAKilledProcessHasLeft) {
  const auto there = memory();
  ASSERT_TRUE(there.keep(box()));
  const auto place = there.path_of(box().id).parent_path();
  for (const auto* name : {".new-killed", ".new-fresh"}) std::ofstream(place / name) << "x";
  fs::last_write_time(place / ".new-killed", fs::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_TRUE(there.keep(box(8)));
  EXPECT_FALSE(fs::exists(place / ".new-killed"));
  EXPECT_TRUE(fs::exists(place / ".new-fresh"));  // another process may be writing it
}

TEST_F(HostMemoryTest, SaysWhatIsWrongWithAFile) {
  const auto there = memory();
  ASSERT_TRUE(there.keep(box()));
  const auto path = there.path_of(box().id);
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(there.find(box().id).error().what, MemoryFailure::What::exposed);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  fs::resize_file(path, 20);
  EXPECT_EQ(there.find(box().id).error().what, MemoryFailure::What::corrupt);
  EXPECT_EQ(there.find(box().id).error().path, path);
  EXPECT_EQ(there.list()->failures.size(), 1U);
  EXPECT_TRUE(there.forget(box().id).value());
}

TEST_F(HostMemoryTest, AFileOfAnotherHostIsNotTakenForIt) {
  const auto there = memory();
  auto other = box();
  other.id.address = "elsewhere:8088";
  ASSERT_TRUE(there.keep(other));
  fs::rename(there.path_of(other.id), there.path_of(box().id));
  EXPECT_EQ(there.find(box().id).error().what, MemoryFailure::What::corrupt);
}

TEST_F(HostMemoryTest, ManyWritersLeaveOneWholeFileAndNothingElse) {
  const auto there = memory();
  std::vector<std::thread> writers;
  for (std::uint8_t writer = 1; writer <= 4; ++writer)
    writers.emplace_back([&there, writer] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(there.keep(box(writer)));
        EXPECT_TRUE(there.find(box().id));
      }
    });
  for (auto& writer : writers) writer.join();
  EXPECT_TRUE(there.find(box().id).value());
  EXPECT_EQ(std::distance(fs::directory_iterator(there.directory()), {}), 1);
}

TEST_F(HostMemoryTest, AFullDirectoryIsSaid) {
  std::ofstream(root_ / "state") << "a file where a directory belongs";
  EXPECT_EQ(memory().keep(box()).error().what, MemoryFailure::What::unwritable);
}

TEST(RememberedTicketTest, IsGoodUntilItsTimeIsOver) {
  EXPECT_TRUE(a_ticket(1).is_good_at(1'059));
  EXPECT_FALSE(a_ticket(1).is_good_at(1'060));
}

}  // namespace
}  // namespace pake::client
