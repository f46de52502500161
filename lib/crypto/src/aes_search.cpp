#include "pake/crypto/aes_search.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pake::crypto {
namespace {

void gcm_one_by_one(const EightKeys& keys, const AesBlock& block, EightTexts& texts) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    texts[i] = block;
    aes128_gcm_xor_key_stream(keys[i], keys[i], texts[i]);
  }
}

void cbc_one_by_one(const EightKeys& keys, const AesBlock& block, EightTexts& texts) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    texts[i] = block;
    aes128_cbc_decrypt_unpadded(keys[i], keys[i], texts[i]);
  }
}

#if defined(__x86_64__)

#define PAKE_AES_TARGET __attribute__((target("aes,pclmul,ssse3,sse4.1")))

constexpr std::size_t kRounds = 10;
struct RoundKeys {
  __m128i of[kRounds + 1][kKeysAtOnce];
};

// FIPS 197, Section 5.2, for eight keys side by side. AESENCLAST of four equal columns, whose rows do not move, is
// SubWord of each, xor the round constant.
PAKE_AES_TARGET void expand(const EightKeys& keys, RoundKeys& out) {
  constexpr std::array<int, kRounds> kRcon = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
  const __m128i rot_word = _mm_set1_epi32(0x0c0f0e0d);
  for (std::size_t i = 0; i < kKeysAtOnce; ++i)
    out.of[0][i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(keys[i].data()));
  for (std::size_t round = 0; round < kRounds; ++round) {
    const __m128i rcon = _mm_set1_epi32(kRcon[round]);
    for (std::size_t i = 0; i < kKeysAtOnce; ++i) {
      __m128i key = out.of[round][i];
      const __m128i word = _mm_aesenclast_si128(_mm_shuffle_epi8(key, rot_word), rcon);
      key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
      key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
      out.of[round + 1][i] = _mm_xor_si128(key, word);
    }
  }
}

PAKE_AES_TARGET void encrypt(const RoundKeys& keys, __m128i (&blocks)[kKeysAtOnce]) {
  for (std::size_t i = 0; i < kKeysAtOnce; ++i) blocks[i] = _mm_xor_si128(blocks[i], keys.of[0][i]);
  for (std::size_t round = 1; round < kRounds; ++round)
    for (std::size_t i = 0; i < kKeysAtOnce; ++i) blocks[i] = _mm_aesenc_si128(blocks[i], keys.of[round][i]);
  for (std::size_t i = 0; i < kKeysAtOnce; ++i) blocks[i] = _mm_aesenclast_si128(blocks[i], keys.of[kRounds][i]);
}

// The product in GF(2^128) of two elements with their bytes reversed (NIST SP 800-38D, Section 6.3).
PAKE_AES_TARGET __m128i multiply(__m128i a, __m128i b) {
  __m128i low = _mm_clmulepi64_si128(a, b, 0x00);
  __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x10), _mm_clmulepi64_si128(a, b, 0x01));
  __m128i high = _mm_clmulepi64_si128(a, b, 0x11);
  low = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
  high = _mm_xor_si128(high, _mm_srli_si128(middle, 8));
  // Bits are reflected: the product is one bit too low.
  const __m128i low_carry = _mm_srli_epi32(low, 31);
  const __m128i high_carry = _mm_srli_epi32(high, 31);
  low = _mm_or_si128(_mm_slli_epi32(low, 1), _mm_slli_si128(low_carry, 4));
  high = _mm_or_si128(_mm_slli_epi32(high, 1), _mm_slli_si128(high_carry, 4));
  high = _mm_or_si128(high, _mm_srli_si128(low_carry, 12));
  // Modulo x^128 + x^7 + x^2 + x + 1.
  __m128i fold =
      _mm_xor_si128(_mm_xor_si128(_mm_slli_epi32(low, 31), _mm_slli_epi32(low, 30)), _mm_slli_epi32(low, 25));
  const __m128i fold_high = _mm_srli_si128(fold, 4);
  low = _mm_xor_si128(low, _mm_slli_si128(fold, 12));
  fold = _mm_xor_si128(_mm_xor_si128(_mm_srli_epi32(low, 1), _mm_srli_epi32(low, 2)), _mm_srli_epi32(low, 7));
  low = _mm_xor_si128(_mm_xor_si128(low, fold), fold_high);
  return _mm_xor_si128(high, low);
}

// NIST SP 800-38D, Section 7.1, for a nonce of one block: J0 = GHASH_H(nonce || 0^64 || [128]_64); the first block of
// text is encrypted with inc32(J0).
PAKE_AES_TARGET void gcm_side_by_side(const EightKeys& keys, const AesBlock& block, EightTexts& texts) {
  const __m128i reverse = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m128i length = _mm_set_epi64x(0, 128);
  RoundKeys round_keys;
  expand(keys, round_keys);
  __m128i state[kKeysAtOnce];
  for (auto& one : state) one = _mm_setzero_si128();
  encrypt(round_keys, state);
  for (std::size_t i = 0; i < kKeysAtOnce; ++i) {
    const __m128i H = _mm_shuffle_epi8(state[i], reverse);
    const __m128i nonce = _mm_shuffle_epi8(round_keys.of[0][i], reverse);
    const __m128i J0 = multiply(_mm_xor_si128(multiply(nonce, H), length), H);
    state[i] = _mm_shuffle_epi8(_mm_add_epi32(J0, _mm_set_epi32(0, 0, 0, 1)), reverse);
  }
  encrypt(round_keys, state);
  const __m128i ciphertext = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data()));
  for (std::size_t i = 0; i < kKeysAtOnce; ++i)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(texts[i].data()), _mm_xor_si128(state[i], ciphertext));
}

// FIPS 197, Section 5.3.5, the equivalent inverse cipher; then xor the IV, which is the key.
PAKE_AES_TARGET void cbc_side_by_side(const EightKeys& keys, const AesBlock& block, EightTexts& texts) {
  RoundKeys round_keys;
  expand(keys, round_keys);
  const __m128i ciphertext = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data()));
  __m128i state[kKeysAtOnce];
  for (std::size_t i = 0; i < kKeysAtOnce; ++i) state[i] = _mm_xor_si128(ciphertext, round_keys.of[kRounds][i]);
  for (std::size_t round = kRounds - 1; round > 0; --round)
    for (std::size_t i = 0; i < kKeysAtOnce; ++i)
      state[i] = _mm_aesdec_si128(state[i], _mm_aesimc_si128(round_keys.of[round][i]));
  for (std::size_t i = 0; i < kKeysAtOnce; ++i) {
    const __m128i text = _mm_aesdeclast_si128(state[i], round_keys.of[0][i]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(texts[i].data()), _mm_xor_si128(text, round_keys.of[0][i]));
  }
}

#undef PAKE_AES_TARGET

bool has_instructions() {
  static const bool has = __builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("pclmul") != 0 &&
                          __builtin_cpu_supports("ssse3") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  return has;
}

#endif

}  // namespace

void aes128_gcm_first_blocks(const EightKeys& keys, const AesBlock& block, EightTexts& texts) {
#if defined(__x86_64__)
  if (has_instructions()) return gcm_side_by_side(keys, block, texts);
#endif
  gcm_one_by_one(keys, block, texts);
}

void aes128_cbc_first_blocks(const EightKeys& keys, const AesBlock& block, EightTexts& texts) {
#if defined(__x86_64__)
  if (has_instructions()) return cbc_side_by_side(keys, block, texts);
#endif
  cbc_one_by_one(keys, block, texts);
}

}  // namespace pake::crypto
