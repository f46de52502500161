#include "terminal/escape.h"

#include <gtest/gtest.h>

namespace pake::cli {
namespace {

TEST(Escape, LeavesPlainTextAlone) {
  for (const auto* text : {"", "hello", "back\\slash \"quoted\"", "grüße", "日本語", "🙂", "e\u0301"}) {
    EXPECT_EQ(escape(text), text);
    EXPECT_TRUE(is_utf8(text));
  }
}

TEST(Escape, KeepsOneLineOneLine) { EXPECT_EQ(escape("a\nb\r\tc\u2028\u2029"), "a\\nb\\r\\tc\\u2028\\u2029"); }

TEST(Escape, NothingReachesTheTerminalsInterpreter) {
  EXPECT_EQ(escape("\x1b]0;title\x07\x1b[2J\x7f"), "\\x1b]0;title\\x07\\x1b[2J\\x7f");
  EXPECT_EQ(escape(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(escape("\u009b31m"), "\\u009b31m") << "CSI as one code point";
  EXPECT_EQ(escape("\u202eevil\u2066\u200f"), "\\u202eevil\\u2066\\u200f");
}

TEST(Escape, SpellsOutWhatIsNoUtf8) {
  EXPECT_EQ(escape("\xff"), "\\xff");
  EXPECT_EQ(escape("\x80 a"), "\\x80 a");
  EXPECT_EQ(escape("\xc3"), "\\xc3");
  EXPECT_EQ(escape("\xc0\xaf"), "\\xc0\\xaf") << "longer than needed";
  EXPECT_EQ(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(escape("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond U+10FFFF";
  EXPECT_EQ(escape("\xe2\x82z"), "\\xe2\\x82z");
  for (const auto* text : {"\xff", "a\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(text));
}

}  // namespace
}  // namespace pake::cli
