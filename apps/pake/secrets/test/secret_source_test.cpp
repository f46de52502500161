#include "secrets/secret_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "options/parse.h"

namespace pake::cli {
namespace {

/// A pipe that already holds everything that will come.
class Filled {
 public:
  explicit Filled(std::string_view text) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
    fd_ = ends[0];
  }
  ~Filled() { ::close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

/// A file with this content, for as long as the test runs.
class File {
 public:
  explicit File(std::string_view text)
      : path_(std::filesystem::temp_directory_path() / ("pake-secret-" + std::to_string(::getpid()))) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class SecretSource : public ::testing::Test {
 protected:
  void SetUp() override { forget(); }
  void TearDown() override { forget(); }

 private:
  static void forget() {
    ::unsetenv("PAKE_PASSWORD");
    ::unsetenv("PAKE_CODE");
  }
};

std::string password(const SecretOptions& options) {
  const auto secret = read_secret(options, std::nullopt);
  if (!secret) return "error: " + secret.error().error;
  return *secret ? std::string(as_text((*secret)->text.reveal())) : "none";
}

TEST_F(SecretSource, NoSourceIsNoSecret) { EXPECT_EQ(password({}), "none"); }

TEST_F(SecretSource, ReadsADescriptorToItsEnd) {
  const Filled pipe("correct horse");
  EXPECT_EQ(password({.fd = pipe.fd()}), "correct horse");
}

TEST_F(SecretSource, OneNewlineAtTheEndIsNotPartOfIt) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {"pw\n", "pw"}, {"pw\r\n", "pw"}, {"pw\n\n", "pw\n"}, {" p w ", " p w "}, {"a\nb\n", "a\nb"}}) {
    const File file(text);
    EXPECT_EQ(password({.file = file.path()}), expected);
  }
}

TEST_F(SecretSource, TheFirstSourceWins) {
  const File file("of the file");
  const Filled pipe("of the descriptor");
  ::setenv("PAKE_PASSWORD", "of the variable", 1);
  EXPECT_EQ(password({.fd = pipe.fd(), .file = file.path()}), "of the descriptor");
  ::setenv("PAKE_PASSWORD", "of the variable", 1);
  EXPECT_EQ(password({.file = file.path()}), "of the file");
  ::setenv("PAKE_PASSWORD", "of the variable", 1);
  EXPECT_EQ(password({}), "of the variable");
}

TEST_F(SecretSource, TheVariableIsOverwrittenAndUnsetInAnyCase) {
  for (const bool used : {true, false}) {
    ::setenv("PAKE_PASSWORD", "hunter2", 1);
    const char* const value = std::getenv("PAKE_PASSWORD");
    const Filled pipe("another");
    EXPECT_EQ(password(used ? SecretOptions{} : SecretOptions{.fd = pipe.fd()}), used ? "hunter2" : "another");
    EXPECT_EQ(std::getenv("PAKE_PASSWORD"), nullptr);
    EXPECT_EQ(std::string(value, 7), std::string(7, '\0')) << "still in the environment block";
  }
}

TEST_F(SecretSource, RefusesWhatIsNoPassword) {
  const File empty("\n");
  EXPECT_TRUE(password({.file = empty.path()}).starts_with("error: "));
  EXPECT_TRUE(password({.file = "/no/such/file"}).starts_with("error: cannot open /no/such/file"));
  EXPECT_TRUE(password({.fd = 9999}).starts_with("error: cannot read --password-fd 9999"));
  const Filled longest(std::string(kMaxPassword, 'x') + "\r\n");
  EXPECT_EQ(password({.fd = longest.fd()}), std::string(kMaxPassword, 'x'));
  const Filled longer(std::string(kMaxPassword + 1, 'x'));
  EXPECT_TRUE(password({.fd = longer.fd()}).starts_with("error: "));
  const Filled much_longer(std::string(20'000, 'x'));
  EXPECT_TRUE(password({.fd = much_longer.fd()}).starts_with("error: "));
}

std::string source(const SecretOptions& options) {
  const auto secret = read_secret(options, std::nullopt);
  return secret && *secret ? (*secret)->source : "none";
}

TEST_F(SecretSource, ACodeHasItsOwnSpellingsAndAPasswordsToo) {
  const File file("of the file");
  ::setenv("PAKE_CODE", "of PAKE_CODE", 1);
  ::setenv("PAKE_PASSWORD", "of PAKE_PASSWORD", 1);
  EXPECT_EQ(password({.kind = SecretKind::code}), "of PAKE_CODE");
  EXPECT_EQ(std::getenv("PAKE_PASSWORD"), nullptr) << "not used, and unset all the same";
  ::setenv("PAKE_PASSWORD", "of PAKE_PASSWORD", 1);
  EXPECT_EQ(password({.kind = SecretKind::code}), "of PAKE_PASSWORD");
  ::setenv("PAKE_CODE", "of PAKE_CODE", 1);
  EXPECT_EQ(password({.kind = SecretKind::code, .other_file = file.path()}), "of the file");
  ::setenv("PAKE_CODE", "of PAKE_CODE", 1);
  EXPECT_EQ(password({.kind = SecretKind::password}), "none") << "a code is no password";
}

TEST_F(SecretSource, AnOptionToAskWinsOverTheEnvironment) {
  ::setenv("PAKE_PASSWORD", "an old one", 1);
  EXPECT_EQ(password({.prompt = true}), "none") << "here nobody can be asked";
}

TEST_F(SecretSource, NamesWhereItCameFrom) {
  const File file("x");
  EXPECT_EQ(source({.file = file.path()}), file.path());
  const Filled pipe("x");
  EXPECT_EQ(source({.kind = SecretKind::code, .fd = pipe.fd()}), "--code-fd " + std::to_string(pipe.fd()));
  ::setenv("PAKE_CODE", "x", 1);
  EXPECT_EQ(source({.kind = SecretKind::code}), "PAKE_CODE");
  ::setenv("PAKE_PASSWORD", "x", 1);
  EXPECT_EQ(source({.kind = SecretKind::code}), "PAKE_PASSWORD");
}

TEST_F(SecretSource, InTheCommandLineItIsRefusedWithAHint) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--password", "hunter2"}, {"--password=hunter2"}, {"--password"}, {"-p", "hunter2"}}) {
    SecretOptions options;
    const Command program{.name = "pake", .summary = "", .settings = secret_settings(options)};
    const auto parsed = parse(program, arguments);
    ASSERT_TRUE(parsed) << parsed.error().error;
    ASSERT_TRUE(set_given(program.settings, parsed->given));
    const auto secret = read_secret(options, std::nullopt);
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error().exit_code, kExitUsage);
    EXPECT_EQ(secret.error().error.find("hunter2"), std::string::npos) << "said aloud";
    EXPECT_NE(secret.error().hint.find("--password-file"), std::string::npos);
  }
}

}  // namespace
}  // namespace pake::cli
