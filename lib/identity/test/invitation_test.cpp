#include "pake/identity/invitation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "pake/identity/code.h"
#include "pake/testing/fixed_rng.h"

namespace pake::identity {
namespace {

std::string text_of(const SecretBuffer& text) { return std::string(as_text(text.reveal())); }

TEST(GenerateInvitationCode, DrawsAUniformSelectorAndTenBitsAWord) {
  // 2^32 - 1 lies above the last multiple of the number of selectors and is drawn again.
  testing::FixedRng rng({0xff, 0xff, 0xff, 0xff, 0, 0, 0, 5, 0, 0, 0xff, 0xff, 0, 1, 0, 0});
  const auto code = generate_invitation_code(rng);
  EXPECT_EQ(rng.remaining(), 0U);
  EXPECT_EQ(code.selector, "1000005");
  const auto first = std::string(words().front());
  const auto expected = first + "-" + std::string(words().back()) + "-" + std::string(words()[1]) + "-" + first;
  EXPECT_EQ(text_of(code.words), expected);
  EXPECT_EQ(text_of(code.text()), "1000005-" + expected);
}

TEST(GenerateInvitationCode, IsParsedAsItIsPrinted) {
  testing::SeededRng rng(1);
  std::set<std::string> selectors;
  for (int run = 0; run < 2000; ++run) {
    const auto code = generate_invitation_code(rng);
    const auto parsed = parse_invitation_code(code.text().reveal());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->selector, code.selector);
    EXPECT_EQ(text_of(parsed->words), text_of(code.words));
    EXPECT_TRUE(is_selector(as_bytes(code.selector)));
    selectors.insert(code.selector);
  }
  EXPECT_GT(selectors.size(), 1990U);
}

TEST(ParseInvitationCode, ForgivesCaseSpacingAndALineEnd) {
  const auto word = std::string(words()[7]);
  auto shouted = word;
  std::ranges::transform(shouted, shouted.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  const auto secret = word + "-" + word + "-" + word + "-" + word;
  for (const auto& typed : {"1234567-" + secret, "1234567-" + secret + "\n", "1234567-" + secret + "\r\n",
                            " 1234567 " + word + "  " + shouted + "- -" + word + " " + shouted + " -"}) {
    const auto code = parse_invitation_code(as_bytes(typed));
    ASSERT_TRUE(code) << typed;
    EXPECT_EQ(code->selector, "1234567");
    EXPECT_EQ(text_of(code->words), secret);
  }
}

TEST(ParseInvitationCode, RefusesEverythingElse) {
  const auto word = std::string(words()[7]);
  const auto secret = word + "-" + word + "-" + word + "-" + word;
  for (const auto& typed :
       {std::string(), secret, "123456-" + secret, "12345678-" + secret, "0234567-" + secret, "123456a-" + secret,
        "1234567-" + secret + "-" + word, "1234567-" + word + "-" + word + "-" + word, secret + "-1234567",
        "1234567-" + secret + "x", "1234567-zzzz-" + word + "-" + word + "-" + word, "1234567-" + secret + "\n\n",
        "1234567_" + secret, "1234567-" + secret + std::string(110, ' ')})
    EXPECT_FALSE(parse_invitation_code(as_bytes(typed))) << typed;
}

}  // namespace
}  // namespace pake::identity
