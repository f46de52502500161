#include "pake/files/target.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace pake::files {
namespace {

namespace fs = std::filesystem;

/// A folder to write below, and one beside it that must stay as it is.
class Targets : public ::testing::TestWithParam<Walk> {
 protected:
  Targets() {
    std::string pattern = (fs::temp_directory_path() / "pake-files-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directory(outside());
    write(outside() / "precious", "precious");
  }
  ~Targets() override {
    EXPECT_EQ(read(outside() / "precious"), "precious");
    EXPECT_EQ(std::distance(fs::directory_iterator(outside()), {}), 1) << "something was made outside";
    fs::remove_all(root_);
  }
  [[nodiscard]] fs::path outside() const { return root_ / "outside"; }
  [[nodiscard]] fs::path inside() const { return root_ / "inside"; }

  static void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  static std::string read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Target open() { return *Target::open(inside().string(), GetParam()); }

  static FileResult<void> put(Target& target, const std::string& path, std::string_view text,
                              Overwrite overwrite = Overwrite::no, Entry entry = {}) {
    auto part = target.open_part(path);
    if (!part) return std::unexpected(part.error());
    if (const auto written = part->write(as_bytes(text)); !written) return written;
    entry.path = path;
    return target.store(std::move(*part), entry, overwrite);
  }

 private:
  fs::path root_;
};

INSTANTIATE_TEST_SUITE_P(Walks, Targets, ::testing::Values(Walk::by_kernel, Walk::by_hand),
                         [](const auto& walk) { return walk.param == Walk::by_kernel ? "kernel" : "hand"; });

TEST_P(Targets, StoreFilesWithTheirFolders) {
  auto target = open();
  ASSERT_TRUE(put(target, "a/b/c", "text"));
  ASSERT_TRUE(put(target, "a/d", ""));
  ASSERT_TRUE(target.make_folder("e/f"));
  ASSERT_TRUE(target.sync_names());
  EXPECT_EQ(read(inside() / "a/b/c"), "text");
  EXPECT_TRUE(fs::is_regular_file(inside() / "a/d"));
  EXPECT_TRUE(fs::is_directory(inside() / "e/f"));
  EXPECT_FALSE(fs::exists(inside() / "a/b/c.pake-part"));
  EXPECT_EQ(target.find("a/b/c")->size, 4U);
  EXPECT_EQ(target.find("x/y")->kind, Found::Kind::nothing);
}

TEST_P(Targets, GiveNamesToManyTogether) {
  auto target = open();
  for (const auto count : {1UL, 3UL, 40UL}) {  // of few each is written, of many all at once
    const auto folder = std::to_string(count);
    ASSERT_TRUE(put(target, folder + "/2", "there before"));
    for (std::size_t i = 0; i < count; ++i) {
      const Entry entry{.executable = true, .path = folder + "/" + std::to_string(i)};
      auto part = target.open_part(entry.path);
      ASSERT_TRUE(part);
      ASSERT_TRUE(part->write(as_bytes(entry.path)));
      ASSERT_TRUE(target.set_down(std::move(*part), entry));
      EXPECT_FALSE(fs::exists(inside() / folder / "0")) << "it has its name before it is on the disk";
    }
    const auto results = target.store_all(Overwrite::no);
    ASSERT_EQ(results.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto path = folder + "/" + std::to_string(i);
      EXPECT_FALSE(fs::exists(inside() / (path + ".pake-part")));
      if (i == 2) {
        EXPECT_EQ(results[i].error(), FileError::Kind::exists);
        EXPECT_EQ(read(inside() / path), "there before");
        continue;
      }
      EXPECT_TRUE(results[i]);
      EXPECT_EQ(read(inside() / path), path);
      EXPECT_TRUE((fs::status(inside() / path).permissions() & fs::perms::owner_exec) != fs::perms::none);
    }
    EXPECT_TRUE(target.store_all(Overwrite::no).empty());
  }
  EXPECT_TRUE(target.sync_names());
}

TEST_P(Targets, LeaveWhatWasSetDownAsParts) {
  {
    auto target = open();
    auto part = target.open_part("a");
    ASSERT_TRUE(part->write(as_bytes("text")));
    ASSERT_TRUE(target.set_down(std::move(*part), {.path = "a"}));
    EXPECT_EQ(target.open_part("a").error(), FileError::Kind::busy);
  }
  EXPECT_FALSE(fs::exists(inside() / "a"));
  EXPECT_EQ(read(inside() / "a.pake-part"), "text");
}

TEST_P(Targets, GiveNoNameToWhatWasPutInThePlaceOfAPart) {
  auto target = open();
  for (const auto* const name : {"a", "b"}) {
    auto part = target.open_part(name);
    ASSERT_TRUE(part->write(as_bytes(name)));
    ASSERT_TRUE(target.set_down(std::move(*part), {.path = name}));
  }
  fs::remove(inside() / "a.pake-part");
  fs::create_symlink(outside() / "precious", inside() / "a.pake-part");
  const auto results = target.store_all(Overwrite::no);
  EXPECT_EQ(results[0].error(), FileError::Kind::changed);
  EXPECT_TRUE(results[1]);
  EXPECT_FALSE(fs::exists(fs::symlink_status(inside() / "a")));
}

TEST_P(Targets, KeepBitsAndTimes) {
  auto target = open();
  const auto old = ::umask(022);
  ::umask(old);
  ASSERT_TRUE(put(target, "x", "t", Overwrite::no,
                  {.executable = true, .is_private = true, .modified = 1'000'000'000, .nanoseconds = 5, .path = {}}));
  struct stat status{};
  ASSERT_EQ(::stat((inside() / "x").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'000'000'000);
  ASSERT_TRUE(put(target, "y", "t"));
  ASSERT_EQ(::stat((inside() / "y").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0666U & ~old);
}

TEST_P(Targets, RefusePathsThatLeave) {
  auto target = open();
  for (const std::string path : {"../outside/x", "/etc/x", "..", "a/../../outside/x", "a//b", ""}) {
    EXPECT_FALSE(target.open_part(path)) << path;
    EXPECT_FALSE(target.make_folder(path)) << path;
    EXPECT_FALSE(target.find(path)) << path;
    EXPECT_FALSE(target.open_existing(path)) << path;
  }
}

TEST_P(Targets, FollowNoLink) {
  auto target = open();
  fs::create_directory_symlink(outside(), inside() / "link");
  fs::create_symlink(outside() / "precious", inside() / "file");
  fs::create_symlink(outside() / "new", inside() / "f.pake-part");
  fs::create_directory_symlink("../outside", inside() / "relative");
  for (const std::string path : {"link/x", "relative/x", "link/precious", "link/a/b"}) {
    const auto part = target.open_part(path);
    ASSERT_FALSE(part) << path;
    EXPECT_EQ(part.error(), FileError::Kind::in_the_way) << path;
    EXPECT_FALSE(target.open_existing(path)) << path;
  }
  EXPECT_FALSE(target.make_folder("link/x"));
  EXPECT_FALSE(target.open_existing("file"));
  EXPECT_FALSE(target.open_part("f")) << "a link in the part's place";
  EXPECT_EQ(target.find("file")->kind, Found::Kind::other);
  EXPECT_EQ(put(target, "file", "x").error(), FileError::Kind::exists);
  EXPECT_EQ(put(target, "file", "x", Overwrite::yes).error(), FileError::Kind::exists);
}

TEST_P(Targets, AreNotFooledByALinkPlantedMeanwhile) {
  auto target = open();
  ASSERT_TRUE(put(target, "d/a", "a"));
  fs::rename(inside() / "d", inside() / "was");
  fs::create_directory_symlink(outside(), inside() / "d");
  static_cast<void>(put(target, "d/b", "b"));  // into the folder that was opened, or refused; never through the link
  EXPECT_FALSE(put(target, "d/c/e", "e"));
  auto part = *target.open_part("f");
  ASSERT_TRUE(part.write(as_bytes("f")));
  fs::remove(inside() / "f.pake-part");
  fs::create_symlink(outside() / "precious", inside() / "f.pake-part");
  EXPECT_EQ(target.store(std::move(part), {.path = "f"}, Overwrite::no).error(), FileError::Kind::changed);
  EXPECT_FALSE(fs::exists(fs::symlink_status(inside() / "f")));
}

TEST_P(Targets, ReplaceNothingUnasked) {
  auto target = open();
  write(inside() / "a", "mine");
  fs::create_directory(inside() / "d");
  EXPECT_EQ(put(target, "a", "theirs").error(), FileError::Kind::exists);
  EXPECT_EQ(read(inside() / "a"), "mine");
  EXPECT_FALSE(fs::exists(inside() / "a.pake-part"));
  EXPECT_TRUE(put(target, "a", "theirs", Overwrite::yes));
  EXPECT_EQ(read(inside() / "a"), "theirs");
  EXPECT_FALSE(put(target, "d", "x", Overwrite::yes));
  EXPECT_FALSE(put(target, "a/b", "x", Overwrite::yes)) << "a file is no folder";
}

TEST_P(Targets, NeverReplaceWhatTheyStoredThemselves) {
  // As where the disk takes "A" for "a": another name of the same file.
  auto target = open();
  ASSERT_TRUE(put(target, "a", "first"));
  fs::create_hard_link(inside() / "a", inside() / "A");
  EXPECT_EQ(put(target, "A", "second", Overwrite::yes).error(), FileError::Kind::exists);
  EXPECT_EQ(read(inside() / "a"), "first");
}

TEST_P(Targets, WriteNoSpecialFileAndNoFileOfTwoNames) {
  auto target = open();
  ASSERT_EQ(::mkfifo((inside() / "p.pake-part").c_str(), 0600), 0);
  EXPECT_EQ(target.open_part("p").error(), FileError::Kind::not_usable);
  fs::create_hard_link(outside() / "precious", inside() / "h.pake-part");
  EXPECT_EQ(target.open_part("h").error(), FileError::Kind::not_usable);
  fs::remove(inside() / "h.pake-part");
  fs::create_directory(inside() / "e.pake-part");
  EXPECT_FALSE(target.open_part("e"));
  ASSERT_EQ(::mkfifo((inside() / "q").c_str(), 0600), 0);
  EXPECT_FALSE(target.open_existing("q"));
}

TEST_P(Targets, LeaveAPartThatCanBeContinued) {
  auto target = open();
  {
    auto part = *target.open_part("a");
    ASSERT_TRUE(part.write(as_bytes("hello ")));
    EXPECT_EQ(target.open_part("a").error(), FileError::Kind::busy) << "it is being written";
  }
  EXPECT_EQ(target.find("a")->part_size, 6U);
  auto again = *target.open_part("a");
  ASSERT_EQ(again.size(), 6U);
  TreeHash hash;
  ASSERT_EQ(again.hash_some(hash), 6U);
  EXPECT_EQ(again.hash_some(hash), 0U);
  EXPECT_EQ(hash.hash(), TreeHash().update(as_bytes("hello ")).hash());
  ASSERT_TRUE(again.write(as_bytes("world")));
  ASSERT_TRUE(target.store(std::move(again), {.path = "a"}, Overwrite::no));
  EXPECT_EQ(read(inside() / "a"), "hello world");
}

TEST_P(Targets, LeaveNothingOfAFileThatWasNotBegun) {
  auto target = open();
  {
    const auto part = *target.open_part("a");
  }
  {
    auto part = *target.open_part("b");
    ASSERT_TRUE(part.write(as_bytes("x")));
    part.discard();
  }
  EXPECT_TRUE(fs::is_empty(inside()));
}

TEST_P(Targets, MakeHoles) {
  auto target = open();
  auto part = *target.open_part("sparse");
  ASSERT_TRUE(part.write(as_bytes("a")));
  ASSERT_TRUE(part.skip(100UL << 20U));
  ASSERT_TRUE(part.write(as_bytes("b")));
  ASSERT_TRUE(target.store(std::move(part), {.path = "sparse"}, Overwrite::no));
  struct stat status{};
  ASSERT_EQ(::stat((inside() / "sparse").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, (100 << 20) + 2);
  EXPECT_LT(status.st_blocks * 512, 1 << 20);
}

TEST_P(Targets, TakeNamesOfAnyBytes) {
  auto target = open();
  for (const std::string& name : {std::string(255, 'x'), std::string("\xff\xfe"), std::string("\x1b[31m"),
                                  std::string("a\nb"), std::string("...")}) {
    ASSERT_TRUE(put(target, name, "t")) << name;
    EXPECT_EQ(read(inside() / name), "t");
  }
}

}  // namespace
}  // namespace pake::files
