#include <gtest/gtest.h>

#include <string>

#include "draw/html.h"
#include "draw/run.h"
#include "draw/svg.h"
#include "draw/words.h"

namespace pake::cli::draw {
namespace {

const std::string kLine =
    R"({"us":7,"protocol":"rsa-eke","role":"client","conn":1,"passed":"sent","frame":"line","size":5,"bytes":"68656c6c6f","fields":[{"name":"line","at":0,"size":5,"kind":"clear"}]})"
    "\n";

TEST(ParseRun, KeepsTheFirstMessagesAndCountsTheRest) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += kLine;
  text += R"({"us":8,"left_out":5})"
          "\n";
  const auto run = parse_run(text, "t", 3);
  ASSERT_TRUE(run) << run.error();
  EXPECT_EQ(run->frames.size(), 3U);
  EXPECT_EQ(run->not_drawn, 12U);
  EXPECT_NE(to_svg({*run}, {}).find("12 more not drawn"), std::string::npos);
  EXPECT_NE(to_html({*run}, {}).find("12 more not drawn"), std::string::npos);
}

TEST(ParseRun, NamesTheLineThatIsWrong) {
  const auto run = parse_run(kLine + "nonsense\n" + kLine, "t", 9);
  ASSERT_FALSE(run);
  EXPECT_TRUE(run.error().starts_with("line 2 is not a line of a trace")) << run.error();
}

TEST(ParseRun, TakesATraceThatWasCutOff) {
  const auto run = parse_run(kLine + kLine.substr(0, 40), "t", 9);
  ASSERT_TRUE(run) << run.error();
  EXPECT_EQ(run->frames.size(), 1U);
  EXPECT_TRUE(run->is_cut);
}

TEST(ParseRun, TakesApartWhatAnOlderVersionWrote) {
  const auto run = parse_run(R"({"us":1,"passed":"received","frame":"client_hello","size":6,"bytes":"010000020101"})"
                             "\n",
                             "t", 9);
  ASSERT_TRUE(run) << run.error();
  EXPECT_EQ(run->protocol, "pake/2");
  EXPECT_EQ(run->role, trace::Role::server);
  EXPECT_TRUE(goes_to_server(*run, run->frames.front()));
  EXPECT_EQ(run->frames.front().fields.front().name, "header");
}

TEST(Shown, IsTextWhateverItHolds) {
  EXPECT_EQ(shown("<script>&\"'", 99), "&lt;script&gt;&amp;&quot;&#39;");
  EXPECT_EQ(shown("a\nb\x01\xff", 99), "a\\nb\\x01\\xff");
  EXPECT_EQ(shown("\xef\xbf\xbf", 9), "\xef\xbf\xbd");
  EXPECT_EQ(shown("grüße", 3), "grü\u2026");
  EXPECT_LT(shown(std::string(1'000'000, '<'), 10).size(), 60U);
}

TEST(Words, SayNumbersAsPeopleDo) {
  EXPECT_EQ(size_text(1), "1 byte");
  EXPECT_EQ(size_text(16'384), "16,384 bytes");
  EXPECT_EQ(time_text(193), "0.19 ms");
  EXPECT_EQ(time_text(1'042), "1.04 ms");
  EXPECT_EQ(time_text(12'345'678), "12.34 s");
  EXPECT_EQ(hex(as_bytes("hello"), 9), "68656c6c 6f");
  EXPECT_EQ(hex(as_bytes("hello"), 2), "6865 \u2026 3 bytes more");
}

}  // namespace
}  // namespace pake::cli::draw
