#include "pake/files/source.h"

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

class Sources : public ::testing::Test {
 protected:
  Sources() {
    std::string pattern = (fs::temp_directory_path() / "pake-source-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~Sources() override { fs::remove_all(root_); }
  [[nodiscard]] fs::path at(const std::string& path) const { return root_ / path; }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(at(path).parent_path());
    std::ofstream(at(path)) << text;
  }
  [[nodiscard]] Source scanned(const std::vector<std::string>& paths,
                               const std::vector<std::string>& excluded = {}) const {
    std::vector<std::string> whole;
    for (const auto& path : paths) whole.push_back(at(path).string());
    auto source = scan(whole, excluded);
    EXPECT_TRUE(source) << source.error().path << ": " << source.error().reason;
    return source ? std::move(*source) : Source{};
  }
  static std::vector<std::string> paths_of(const Source& source) {
    std::vector<std::string> paths;
    for (const auto& entry : source.entries) paths.push_back(entry.path);
    return paths;
  }
  static std::string all_of(SourceFile& file) {
    std::string text;
    Buffer chunk(3);
    for (;;) {
      const auto piece = file.read_some(chunk);
      EXPECT_TRUE(piece);
      if (!piece || (piece->size == 0 && piece->hole == 0)) return text;
      text += piece->hole != 0 ? std::string(piece->hole, '\0') : std::string(as_text(Bytes(chunk).first(piece->size)));
    }
  }

 private:
  fs::path root_;
};

TEST_F(Sources, AreFilesAndFoldersInOrder) {
  write("t/b", "bb");
  write("t/a/x", "x");
  write("t/a-b", "");
  fs::create_directory(at("t/empty"));
  write("single", "1");
  const auto source = scanned({"single", "t"});
  EXPECT_EQ(paths_of(source), (std::vector<std::string>{"single", "t", "t/a", "t/a-b", "t/a/x", "t/b", "t/empty"}));
  EXPECT_EQ(paths_of(scanned({"t/"})).front(), "t");
  EXPECT_EQ(paths_of(scanned({"t/."})).front(), "t");
}

TEST_F(Sources, LeaveOutLinksAndSpecialFiles) {
  write("secret", "s");
  write("t/a", "a");
  fs::create_symlink(at("secret"), at("t/link"));
  fs::create_directory_symlink("/etc", at("t/etc"));
  ASSERT_EQ(::mkfifo(at("t/fifo").c_str(), 0600), 0);
  write("t/x.pake-part", "");
  const auto source = scanned({"t"});
  EXPECT_EQ(paths_of(source), (std::vector<std::string>{"t", "t/a"}));
  EXPECT_EQ(source.left_out.size(), 4U);
  fs::create_symlink("secret", at("named"));
  EXPECT_EQ(paths_of(scanned({"named"})), std::vector<std::string>{"named"}) << "who names a link means the file";
}

TEST_F(Sources, CanBeExcluded) {
  write("t/a.o", "");
  write("t/a.c", "");
  write("t/build/tmp/x", "");
  write("t/build/keep", "");
  EXPECT_EQ(paths_of(scanned({"t"}, {"*.o", "build/tmp"})),
            (std::vector<std::string>{"t", "t/a.c", "t/build", "t/build/keep"}));
}

TEST_F(Sources, SayWhatCannotBeSent) {
  write("x/a", "");
  write("y/a", "");
  const std::vector<std::string> none;
  EXPECT_FALSE(scan(std::vector{at("missing").string()}, none));
  EXPECT_FALSE(scan(std::vector<std::string>{"/"}, none));
  EXPECT_FALSE(scan(std::vector{at("x/a").string(), at("y/a").string()}, none)) << "two of one name";
}

TEST_F(Sources, AreReadAndHashed) {
  write("a", "hello world");
  const auto source = scanned({"a"});
  auto file = *SourceFile::open(source.locals[0], source.entries[0]);
  TreeHash hash;
  ASSERT_EQ(file.hash_some(hash, 5), 5U);
  EXPECT_EQ(file.hash_some(hash, 5), 0U);
  EXPECT_EQ(hash.hash(), TreeHash().update(as_bytes("hello")).hash());
  EXPECT_EQ(all_of(file), " world");
  EXPECT_TRUE(file.check_unchanged());
}

TEST_F(Sources, ThatChangeAreNotPassedOffAsTheSame) {
  write("a", "hello world");
  const auto source = scanned({"a"});
  auto file = *SourceFile::open(source.locals[0], source.entries[0]);
  write("a", "hello");
  EXPECT_EQ(file.check_unchanged().error(), FileError::Kind::changed);
  Buffer chunk(64);
  while (true) {
    const auto piece = file.read_some(chunk);
    if (!piece) {
      EXPECT_EQ(piece.error(), FileError::Kind::changed) << "it has become shorter";
      break;
    }
    ASSERT_NE(piece->size, 0U);
  }
  EXPECT_FALSE(SourceFile::open(source.locals[0], source.entries[0]));
}

TEST_F(Sources, AreNotReplacedByALink) {
  write("secret", "hello world");
  write("t/a", "hello world");
  const auto source = scanned({"t"});
  fs::remove(at("t/a"));
  fs::create_symlink(at("secret"), at("t/a"));
  EXPECT_EQ(SourceFile::open(source.locals[1], source.entries[1]).error(), FileError::Kind::changed);
}

TEST_F(Sources, TellTheirHoles) {
  constexpr off_t kSize = 8 << 20;
  const int fd = ::open(at("s").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_EQ(::pwrite(fd, "x", 1, kSize / 2), 1);
  ASSERT_EQ(::ftruncate(fd, kSize), 0);
  ::close(fd);
  const auto source = scanned({"s"});
  auto file = *SourceFile::open(source.locals[0], source.entries[0]);
  std::uint64_t bytes = 0;
  std::uint64_t holes = 0;
  TreeHash hash;
  Buffer chunk(1 << 20);
  for (;;) {
    const auto piece = *file.read_some(chunk);
    if (piece.size == 0 && piece.hole == 0) break;
    bytes += piece.size;
    holes += piece.hole;
    hash.update(Bytes(chunk).first(piece.size));
    hash.update_zeros(piece.hole);
  }
  EXPECT_EQ(bytes + holes, static_cast<std::uint64_t>(kSize));
  TreeHash again;
  file.seek(0);
  while (*file.hash_some(again, kSize) != 0) {
  }
  EXPECT_EQ(hash.hash(), again.hash());
  Buffer plain(kSize);
  plain[kSize / 2] = 'x';
  EXPECT_EQ(hash.hash(), TreeHash().update(plain).hash());
}

}  // namespace
}  // namespace pake::files
