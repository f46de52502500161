#include "pake/identity/password.h"

#include <gtest/gtest.h>

#include <string>

namespace pake::identity {
namespace {

std::string text_of(const Result<Password>& password) {
  return password ? std::string(as_text(password->reveal())) : "(refused)";
}
std::string normalised(std::string_view typed) { return text_of(normalise_password(as_bytes(typed))); }
std::string of_file(std::string_view content) { return text_of(normalise_password_of_file(as_bytes(content))); }

TEST(NormalisePassword, ComposesAndKeepsEverythingElse) {
  EXPECT_EQ(normalised("correct horse"), "correct horse");
  EXPECT_EQ(normalised(" Correct  Horse "), " Correct  Horse ");
  EXPECT_EQ(normalised("e\u0301"), "\u00e9");
  EXPECT_EQ(normalised("E\u0301"), "\u00c9");
  EXPECT_EQ(normalised("\uff21"), "\uff21");  // compatibility forms stay
  EXPECT_EQ(normalised("\U0001f600"), "\U0001f600");
}

TEST(NormalisePassword, TurnsEverySpaceIntoTheAsciiOne) {
  for (const auto* space : {"\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
                            "\u2007", "\u2008", "\u2009", "\u200a", "\u202f", "\u205f", "\u3000"})
    EXPECT_EQ(normalised(std::string("a") + space + "b"), "a b");
}

TEST(NormalisePassword, RefusesControlCharactersAndWhatIsNotUtf8) {
  using namespace std::literals;
  for (const auto typed : {""sv, "a\0b"sv, "a\tb"sv, "a\n"sv, "a\r"sv, "\x7f"sv, "\u0080"sv, "\u0085"sv, "\u009f"sv,
                           "\xff"sv, "\xc3"sv, "\xed\xa0\x80"sv, "\xc0\xaf"sv})
    EXPECT_EQ(normalised(typed), "(refused)") << typed;
}

TEST(NormalisePassword, IsOneTo1024Bytes) {
  EXPECT_EQ(normalised(std::string(1024, 'a')), std::string(1024, 'a'));
  EXPECT_EQ(normalised(std::string(1025, 'a')), "(refused)");
  std::string spaces;
  for (int i = 0; i < 1024; ++i) spaces += "\u3000";
  EXPECT_EQ(normalised(spaces), std::string(1024, ' '));
  EXPECT_EQ(normalised(spaces + "a"), "(refused)");
  EXPECT_EQ(normalised(std::string(4097, 'a')), "(refused)");
}

TEST(NormalisePasswordOfFile, TakesOneLineEndOff) {
  EXPECT_EQ(of_file("secret"), "secret");
  EXPECT_EQ(of_file("secret\n"), "secret");
  EXPECT_EQ(of_file("secret\r\n"), "secret");
  EXPECT_EQ(of_file("secret\n\n"), "(refused)");
  EXPECT_EQ(of_file("secret\r"), "(refused)");
  EXPECT_EQ(of_file("secret\n\r"), "(refused)");
  EXPECT_EQ(of_file("\n"), "(refused)");
  EXPECT_EQ(of_file(""), "(refused)");
}

}  // namespace
}  // namespace pake::identity
