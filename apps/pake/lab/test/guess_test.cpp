#include "lab/guess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <vector>

#include "lab/no_pem.h"
#include "lab/search.h"
#include "pake/crypto/rsa.h"

namespace pake::cli::lab {
namespace {

// Message 3 of docs/rsa-eke.md, its first block, under 12345678.
crypto::AesBlock block_of(std::string_view text, CipherMode mode, std::string_view secret) {
  crypto::AesBlock block{};
  std::ranges::copy(as_bytes(text).first(std::min(text.size(), block.size())), block.begin());
  const auto key = cipher_key(as_bytes(secret));
  if (mode == CipherMode::gcm)
    crypto::aes128_gcm_xor_key_stream(key, key, block);
  else
    crypto::aes128_cbc_encrypt_unpadded(key, key, block);
  return block;
}

TEST(Guess, TheRightWordGivesThePem) {
  for (const auto mode : {CipherMode::gcm, CipherMode::cbc}) {
    const auto block = block_of(kPemBegins, mode, "12345678");
    EXPECT_EQ(agrees_with_pem(decrypt(mode, as_bytes("12345678"), block)), 16U);
    EXPECT_LT(agrees_with_pem(decrypt(mode, as_bytes("12345679"), block)), 3U);
  }
}

TEST(Guess, ADashIsNoPem) {
  EXPECT_EQ(agrees_with_pem(as_bytes("-----BEGIN PRIVATE KEY-----\n")), 12U);
  EXPECT_EQ(agrees_with_pem(as_bytes("-x---BEGIN")), 1U);
  EXPECT_EQ(agrees_with_pem(as_bytes("x")), 0U);
  EXPECT_EQ(agrees_with_pem({}), 0U);
}

TEST(Guess, CountsInDigits) {
  auto digits = ten_digits(9'999'999'998);
  EXPECT_EQ(as_text(digits), "9999999998");
  increment(digits);
  EXPECT_EQ(as_text(digits), "9999999999");
  increment(digits);
  EXPECT_EQ(as_text(digits), "0000000000");
}

TEST(Guess, FindsKsByItsPadding) {
  for (const auto mode : {CipherMode::gcm, CipherMode::cbc}) {
    const auto E_NC = block_of("1048539677", mode, "0000004574");
    const auto Ks = find_Ks(mode, E_NC, 4096, 1024);
    ASSERT_TRUE(Ks.has_value());
    EXPECT_EQ(as_text(*Ks), "0000004574");
    EXPECT_FALSE(find_Ks(mode, E_NC, 0, 4096).has_value());
  }
}

// Digits without the zeros behind them, or zeros behind something else, are another key's.
TEST(Guess, PaddedDigitsAreAllOfABlock) {
  crypto::AesBlock block{'1', '2', '3', '4', '5', '6', '7', '8', '9', '0'};
  EXPECT_TRUE(is_padded_digits(block));
  block[15] = 1;
  EXPECT_FALSE(is_padded_digits(block));
  block[15] = 0;
  block[3] = ':';
  EXPECT_FALSE(is_padded_digits(block));
}

Buffer bare_key(std::uint8_t first, std::uint8_t last_of_n, std::uint8_t last_of_e) {
  Buffer key(kBareKey);
  key[0] = first;
  key[kBareModulus - 1] = last_of_n;
  key[kBareKey - 1] = last_of_e;
  return key;
}

TEST(BareKey, IsBetrayedByItsExponentAndItsModulus) {
  EXPECT_TRUE(has_odd_exponent(bare_key(0x80, 1, 3)));
  EXPECT_FALSE(has_odd_exponent(bare_key(0x80, 1, 2)));
  EXPECT_FALSE(has_fitting_modulus(bare_key(0x7f, 1, 3)));  // 1,023 bits
  EXPECT_FALSE(has_fitting_modulus(bare_key(0x80, 2, 3)));  // even
  // 2^1023 + k is 2^1023 mod p + k: 2^1023 mod 7 = 1, so k = 6 and 13 are multiples of 7.
  EXPECT_FALSE(has_fitting_modulus(bare_key(0x80, 13, 3)));
}

TEST(BareKey, TheShareOfModuliIsWhatMertensSays) {
  // 2 e^-gamma / ln 1000 = 0.1626
  EXPECT_NEAR(share_without_small_factors(), 0.1626, 0.001);
}

TEST(Search, TriesAllOnceAndSaysWhatIsDone) {
  std::vector<std::atomic<int>> seen(1000);
  const auto end = search({.from = 10, .count = 1000, .units = 1, .total = 1000, .name = "words", .threads = 4},
                          [&](std::uint64_t piece) {
                            ++seen[piece];
                            return false;
                          });
  EXPECT_FALSE(end.is_found);
  EXPECT_EQ(end.done_before, 1000U);
  EXPECT_EQ(end.units_tried, 990U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i < 10 ? 0 : 1) << i;
}

TEST(Search, EndsWhereItIsFound) {
  std::uint64_t kept = 0;
  const auto end = search(
      {.from = 0, .count = 1U << 30U, .units = 1, .total = 1U << 30U, .name = "keys", .threads = 2},
      [](std::uint64_t piece) { return piece == 77; },
      [&](std::uint64_t done_before) {
        kept = done_before;
        return true;
      });
  EXPECT_TRUE(end.is_found);
  EXPECT_LE(kept, 77U);  // who begins there finds it again
}

TEST(Search, DoesNotBeginWhatCannotBeKept) {
  const auto end = search(
      {.from = 3, .count = 9, .units = 1, .total = 9, .name = "keys", .threads = 1},
      [](std::uint64_t) {
        ADD_FAILURE();
        return false;
      },
      [](std::uint64_t) { return false; });
  EXPECT_EQ(end.done_before, 3U);
}

TEST(Words, AboutNumbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(10'000'000'000), "10,000,000,000");
  EXPECT_EQ(about(21'340'000), "21.3 million");
  EXPECT_EQ(about_time(std::chrono::seconds(59)), "59 seconds");
  EXPECT_EQ(about_time(std::chrono::seconds(480)), "8 minutes");
}

}  // namespace
}  // namespace pake::cli::lab
