#include "pake/crypto/aes.h"

#include <gtest/gtest.h>

#include <array>

#include "pake/crypto/aes_search.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::hex;
using testing::unhex;

Aes128Key key_of(const Buffer& bytes) { return Aes128Key(bytes); }

// The protocol sheet's check: password 12345678, text "hello", both zero-padded.
TEST(Aes, EncryptsTheSeedsHello) {
  const auto key = unhex("31323334353637380000000000000000");
  auto text = unhex("68656c6c6f0000000000000000000000");
  aes128_gcm_xor_key_stream(key_of(key), key_of(key), text);
  EXPECT_EQ(hex(text), "5893de35837ab5cedab980a69d0e5601");
  aes128_gcm_xor_key_stream(key_of(key), key_of(key), text);
  EXPECT_EQ(hex(text), "68656c6c6f0000000000000000000000");
}

// A key stream: the beginning of a text encrypts to the beginning of what the text encrypts to, down to the byte.
TEST(Aes, GcmTakesAnyLength) {
  const Buffer key(16, 1);
  Buffer whole(100, 7);
  aes128_gcm_xor_key_stream(key_of(key), key_of(key), whole);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    Buffer part(size, 7);
    aes128_gcm_xor_key_stream(key_of(key), key_of(key), part);
    EXPECT_EQ(hex(part), hex(Bytes(whole).first(size)));
  }
}

TEST(Aes, GcmDependsOnKeyAndNonce) {
  const Buffer zero(16), one(16, 1);
  Buffer a(16), b(16), c(16);
  aes128_gcm_xor_key_stream(key_of(zero), key_of(zero), a);
  aes128_gcm_xor_key_stream(key_of(one), key_of(zero), b);
  aes128_gcm_xor_key_stream(key_of(zero), key_of(one), c);
  EXPECT_NE(hex(a), hex(b));
  EXPECT_NE(hex(a), hex(c));
}

// NIST SP 800-38A, Appendix F.2.1.
TEST(Aes, CbcComputesNistsExample) {
  const auto key = unhex("2b7e151628aed2a6abf7158809cf4f3c");
  const auto iv = unhex("000102030405060708090a0b0c0d0e0f");
  const std::string plain =
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
  auto text = unhex(plain);
  aes128_cbc_encrypt_unpadded(key_of(key), key_of(iv), text);
  EXPECT_EQ(hex(text),
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
            "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7");
  aes128_cbc_decrypt_unpadded(key_of(key), key_of(iv), text);
  EXPECT_EQ(hex(text), plain);
}

TEST(Aes, CbcTakesWholeBlocksAlone) {
  const Buffer key(16);
  for (const std::size_t size : {1U, 15U, 17U, 31U}) {
    Buffer text(size, 7);
    EXPECT_DEATH(aes128_cbc_encrypt_unpadded(key_of(key), key_of(key), text), "") << size;
    EXPECT_DEATH(aes128_cbc_decrypt_unpadded(key_of(key), key_of(key), text), "") << size;
  }
  aes128_cbc_encrypt_unpadded(key_of(key), key_of(key), {});
}

TEST(AesSearch, IsWhatOneKeyAfterTheOtherGives) {
  EightKeys keys{};
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (std::size_t j = 0; j < keys[i].size(); ++j) keys[i][j] = static_cast<std::uint8_t>(i * 31 + j * j * 7 + 200);
  keys[7] = {};
  AesBlock block{};
  for (std::size_t j = 0; j < block.size(); ++j) block[j] = static_cast<std::uint8_t>(j * 13 + 250);
  EightTexts gcm{};
  EightTexts cbc{};
  aes128_gcm_first_blocks(keys, block, gcm);
  aes128_cbc_first_blocks(keys, block, cbc);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto text = block;
    aes128_gcm_xor_key_stream(keys[i], keys[i], text);
    EXPECT_EQ(gcm[i], text) << i;
    text = block;
    aes128_cbc_decrypt_unpadded(keys[i], keys[i], text);
    EXPECT_EQ(cbc[i], text) << i;
  }
}

// RFC 4493, Section 4.
TEST(AesCmac, Rfc4493) {
  const auto key = testing::unhex("2b7e151628aed2a6abf7158809cf4f3c");
  const auto message = testing::unhex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17"
      "ad2b417be66c3710");
  const std::pair<std::size_t, const char*> figures[] = {{0, "bb1d6929e95937287fa37d129b756746"},
                                                         {16, "070a16b46b4d4144f79bdd9dd04a287c"},
                                                         {40, "dfa66747de9ae63030ca32611497c827"},
                                                         {64, "51f0bebf7e3b9d92fc49741779363cfe"}};
  for (const auto& [size, tag] : figures) {
    const auto text = Bytes(message).first(size);
    EXPECT_EQ(testing::hex(aes128_cmac(Bytes(key).first<16>(), {text}).reveal()), tag) << size;
    EXPECT_EQ(
        testing::hex(aes128_cmac(Bytes(key).first<16>(), {text.first(size / 3), text.subspan(size / 3)}).reveal()),
        tag);
  }
}

}  // namespace
}  // namespace pake::crypto
