#include "eke/users_file.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pake::cli::eke {
namespace {

std::string password_of(const pake::eke::UserTable& users, std::string_view name) {
  const auto* const password = users.find(name);
  return password == nullptr ? "none" : std::string(as_text(password->reveal()));
}

TEST(UsersFile, ReadsALineForEachUser) {
  const auto users = parse_users(as_bytes("# who may come\nserver:12345678\n\nalice: a:b \r\nbob:x"), "users");
  ASSERT_TRUE(users) << users.error().error;
  EXPECT_EQ(password_of(*users, "server"), "12345678");
  EXPECT_EQ(password_of(*users, "alice"), " a:b ") << "the first colon divides, nothing is trimmed";
  EXPECT_EQ(password_of(*users, "bob"), "x") << "a last line needs no end";
  EXPECT_EQ(password_of(*users, "# who may come"), "none");
}

TEST(UsersFile, SaysInWhichLineWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"alice", "users, line 1: name:password is expected"},
      {"a:b\n\n#c\n:pw\n", "users, line 4: the name is empty"},
      {"a:b\nbob:\n", "users, line 2: the password of 'bob' is empty"},
      {"a:1\nb:2\na:3\n", "users, line 3: 'a' is there twice"},
      {"\x1b[2J:\n", "users, line 1: the password of '\\x1b[2J' is empty"},
      {"# nobody\n", "users names no user: a line is name:password"},
      {"", "users names no user: a line is name:password"},
  };
  for (const auto& [text, expected] : cases) {
    const auto users = parse_users(as_bytes(text), "users");
    ASSERT_FALSE(users) << text;
    EXPECT_EQ(users.error().error, expected);
    EXPECT_EQ(users.error().exit_code, kExitStore);
  }
  EXPECT_FALSE(parse_users(as_bytes(std::string(1025, 'n') + ":pw"), "users"));
  EXPECT_FALSE(parse_users(as_bytes("n:" + std::string(1025, 'p')), "users"));
}

TEST(UsersFile, AnAbsentFileIsAnError) {
  const auto users = read_users("/no/such/file");
  ASSERT_FALSE(users);
  EXPECT_EQ(users.error().error, "cannot open /no/such/file: No such file or directory");
}

}  // namespace
}  // namespace pake::cli::eke
