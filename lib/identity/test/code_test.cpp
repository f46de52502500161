#include "pake/identity/code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "pake/testing/fixed_rng.h"

namespace pake::identity {
namespace {

std::string text_of(const Code& code) { return std::string(as_text(code.reveal())); }

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j)
      diagonal =
          std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1] ? 1U : 0U)}));
  }
  return row.back();
}

// American Soundex: the first letter and the classes of the next three consonants; h and w do not part equal classes.
std::string soundex(std::string_view word) {
  constexpr std::string_view kClass = "01230120022455012623010202";
  const auto class_of = [&](char c) { return kClass[static_cast<std::size_t>(c - 'a')]; };
  std::string code(1, word[0]);
  auto last = class_of(word[0]);
  for (const auto c : word.substr(1)) {
    if (class_of(c) != '0' && class_of(c) != last) code += class_of(c);
    if (c != 'h' && c != 'w') last = class_of(c);
  }
  code.resize(4, '0');
  return code;
}

TEST(Soundex, MatchesThePublishedExamples) {
  EXPECT_EQ(soundex("robert"), "r163");
  EXPECT_EQ(soundex("rupert"), "r163");
  EXPECT_EQ(soundex("ashcraft"), "a261");
  EXPECT_EQ(soundex("tymczak"), "t522");
  EXPECT_EQ(soundex("pfister"), "p236");
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Words, AreSortedPlainAndFarApart) {
  const auto list = words();
  EXPECT_TRUE(std::ranges::is_sorted(list));
  std::map<std::string, std::string_view> codes;
  for (std::size_t i = 0; i < list.size(); ++i) {
    EXPECT_TRUE(list[i].size() >= 4 && list[i].size() <= 8) << list[i];
    EXPECT_TRUE(std::ranges::all_of(list[i], [](char c) { return c >= 'a' && c <= 'z'; })) << list[i];
    const auto [same, fresh] = codes.emplace(soundex(list[i]), list[i]);
    EXPECT_TRUE(fresh) << list[i] << " sounds like " << same->second;
    for (std::size_t j = 0; j < i; ++j) EXPECT_GE(edit_distance(list[i], list[j]), 2U) << list[i] << " " << list[j];
  }
}

TEST(GenerateCode, TakesTenBitsAWordAndAUniformNumber) {
  testing::FixedRng rng({0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 179});  // 179 = 90 + 89
  EXPECT_EQ(text_of(generate_code(rng)), std::string(words().front()) + "-" + std::string(words().back()) + "-99");
  EXPECT_EQ(rng.remaining(), 0U);

  testing::SeededRng seeded(1);
  std::set<std::string> numbers;
  for (int run = 0; run < 5000; ++run) {
    const auto code = generate_code(seeded);
    const auto parsed = parse_code(code.reveal());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(text_of(*parsed), text_of(code));
    numbers.insert(text_of(code).substr(code.size() - 2));
  }
  EXPECT_EQ(numbers.size(), 90U);
}

TEST(GenerateCode, EndsWithASourceThatIsStuck) {
  testing::StuckRng stuck(0xff);
  EXPECT_TRUE(parse_code(generate_code(stuck).reveal()));
}

TEST(ParseCode, ForgivesCaseAndSpacing) {
  const auto word = std::string(words()[7]);
  auto shouted = word;
  std::ranges::transform(shouted, shouted.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  const auto canonical = word + "-" + word + "-42";
  for (const auto& typed : {canonical, word + " " + shouted + " 42", "  " + word + " - " + word + "--42- "}) {
    const auto code = parse_code(as_bytes(typed));
    ASSERT_TRUE(code) << typed;
    EXPECT_EQ(text_of(*code), canonical);
  }
}

TEST(ParseCode, RefusesEverythingElse) {
  const auto word = std::string(words()[7]);
  for (const auto& typed :
       {std::string(), std::string("-"), word, word + "-" + word, word + "-42", word + "-" + word + "-4",
        word + "-" + word + "-123", word + "-" + word + "-04", word + "-" + word + "-4x", word + "-" + word + "-42-1",
        word + "x-" + word + "-42", word + "-zzzz-42", word + "_" + word + "_42", std::string(65, ' '),
        word + "-" + word + std::string("-4\0", 3)})
    EXPECT_FALSE(parse_code(as_bytes(typed))) << typed;
}

}  // namespace
}  // namespace pake::identity
