#include "pake/identity/name.h"

#include <gtest/gtest.h>

#include <array>

#include "pake/testing/fixed_rng.h"
#include "unicode.h"

namespace pake::identity {
namespace {

std::string utf8(std::int32_t code_point) {
  const auto c = static_cast<std::uint32_t>(code_point);
  const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80U | (bits & 0x3fU)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xc0U | c >> 6U), tail(c)};
  if (c < 0x10000) return {static_cast<char>(0xe0U | c >> 12U), tail(c >> 6U), tail(c)};
  return {static_cast<char>(0xf0U | c >> 18U), tail(c >> 12U), tail(c >> 6U), tail(c)};
}

std::string normalised(std::string_view typed) {
  const auto name = normalise_name(as_bytes(typed));
  return name ? *name : "(refused)";
}

TEST(NormaliseName, LowersAndComposes) {
  EXPECT_EQ(normalised("alice"), "alice");
  EXPECT_EQ(normalised("Alice.B_c-d+e@Example.ORG"), "alice.b_c-d+e@example.org");
  EXPECT_EQ(normalised("E\u0301mile"), "\u00e9mile");
  EXPECT_EQ(normalised("\u00c9MILE"), "\u00e9mile");
  EXPECT_EQ(normalised("\u212aelvin"), "kelvin");         // KELVIN SIGN
  EXPECT_EQ(normalised("\u03a3\u03a3"), "\u03c3\u03c3");  // simple mapping: no final sigma
  EXPECT_EQ(normalised("stra\u00dfe"), "stra\u00dfe");
  EXPECT_EQ(normalised("\u1112\u1161\u11ab"), "\ud55c");  // Hangul jamo
}

TEST(NormaliseName, RefusesWhatIsNoName) {
  using namespace std::literals;
  for (const auto typed : {""sv,       " "sv,      "a b"sv,      "a\tb"sv,         "a\nb"sv,
                           "a\0b"sv,   "a/b"sv,    "a:b"sv,      "a,b"sv,          "a*"sv,
                           "\xff"sv,   "\xc3"sv,   "\xc0\x80"sv, "\xed\xa0\x80"sv, "\xf4\x90\x80\x80"sv,
                           "\u00b2"sv, "\u2160"sv, "\u20ac"sv,   "\u200b"sv,       "\u202e"sv,
                           "\ufeff"sv, "\u00a0"sv, "\u0378"sv,   "\U000e0001"sv,   "\ue000"sv,
                           "\uffff"sv, "\u037e"sv, "\u1fef"sv,   "\U0001f600"sv})
    EXPECT_EQ(normalised(typed), "(refused)") << typed;
}

TEST(NormaliseName, IsOneTo255BytesInTheFormThatEntersTheKey) {
  EXPECT_EQ(normalised(std::string(255, 'A')), std::string(255, 'a'));
  EXPECT_EQ(normalised(std::string(256, 'a')), "(refused)");
  std::string kelvins;
  for (int i = 0; i < 255; ++i) kelvins += "\u212a";
  EXPECT_EQ(normalised(kelvins), std::string(255, 'k'));
  EXPECT_EQ(normalised(kelvins + "k"), "(refused)");
  EXPECT_EQ(normalised(std::string(4 * 255 + 1, 'a')), "(refused)");
  std::string grows;  // two bytes each, three as small letters
  for (int i = 0; i < 86; ++i) grows += "\u023a";
  EXPECT_EQ(normalised(grows), "(refused)");
}

TEST(NormaliseName, MapsEveryCodePointToAFixedPoint) {
  std::size_t accepted = 0;
  for (std::int32_t c = 0; c <= 0x10ffff; ++c) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    const auto name = normalise_name(as_bytes(utf8(c)));
    if (!name) {
      const auto kind = class_of(c);
      // A letter or digit is refused by itself if it turns into something else only.
      if (kind == CodePointClass::letter || kind == CodePointClass::decimal_digit) {
        EXPECT_FALSE(is_normalised_name(as_bytes(utf8(c)))) << std::hex << c;
      }
      continue;
    }
    ++accepted;
    EXPECT_EQ(normalised(*name), *name) << std::hex << c;
    EXPECT_TRUE(is_normalised_name(as_bytes(*name))) << std::hex << c;
    EXPECT_EQ(is_normalised_name(as_bytes(utf8(c))), *name == utf8(c)) << std::hex << c;
  }
  EXPECT_GT(accepted, 130'000U);
}

TEST(NormaliseName, IsAFixedPointOfEveryText) {
  testing::SeededRng rng(7);
  for (int run = 0; run < 20'000; ++run) {
    std::array<std::uint8_t, 16> bytes{};
    rng.fill(bytes);
    std::string typed;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
      typed += utf8(((bytes[i] << 8 | bytes[i + 1]) % 0x1fff) + (bytes[i] % 2 == 0 ? 0x300 : 0x41));
    const auto once = normalise_name(as_bytes(typed));
    if (once) {
      EXPECT_EQ(normalised(*once), *once) << "run " << run;
    }
  }
}

}  // namespace
}  // namespace pake::identity
