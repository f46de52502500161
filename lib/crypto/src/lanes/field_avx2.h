// Private to avx2.cpp: four field elements modulo p = 2^255 - 19 at once, by AVX2.
//
// A vector holds the same limb of four elements in its four 64-bit lanes; ten limbs of radix 2^25.5: limb i has weight
// 2^ceil(25.5 i), so even limbs have 26 bits and odd ones 25. The multiplier takes the low 32 bits of its operands.
// Three bounds on limbs (even, odd):
//
//   tight   < 2^26 + 2^10, 2^25 + 2^17     what `carry`, `multiply` and `square` return
//   loose   < 3.36 * 2^26, 3.36 * 2^25     an operand of a product: the sum of two tight ones, or their difference
//                                          with 2p added (below 3 times); the most that 19 * limb < 2^32 allows
//   raw     < 2^29                         any other sum: to be carried before it is multiplied
//
// A column of a product of two loose ones: 10 products, those that come back 19 times and those of two odd limbs (which
// have half the weight) twice. Column 0 is the largest: 1 + 19 * 4 + 19 * 5 / 2 = 124.5 products of 2^52 * 3.36^2,
// below 2^62.5: nothing overflows 64 bits.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "bounds.h"

namespace {

using Vector = __m256i;

constexpr std::size_t kWidth = 4;

inline Vector broadcast(std::uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); }
inline Vector shift_right(Vector x, int bits) { return _mm256_srli_epi64(x, bits); }
inline Vector mask_of(Vector bit) { return broadcast(0) - bit; }
inline Vector is_same(Vector a, Vector b) { return _mm256_cmpeq_epi64(a, b); }
inline Vector choose(Vector mask, Vector a, Vector b) { return _mm256_blendv_epi8(b, a, mask); }
/// Lane i from lane i ^ kDistance.
template <int kDistance>
inline Vector swap_lanes(Vector x) {
  return _mm256_permute4x64_epi64(x, kDistance == 2 ? 0x4e : 0xb1);
}

constexpr std::size_t kLimbs = 10;
constexpr std::uint64_t kLow51 = (std::uint64_t{1} << 51) - 1;
constexpr std::uint64_t kLow26 = (std::uint64_t{1} << 26) - 1;
constexpr std::uint64_t kLow25 = (std::uint64_t{1} << 25) - 1;

struct Field {
  Vector limb[kLimbs];
};

inline void require_below(const Field& a, std::uint64_t even, std::uint64_t odd) {
  for (std::size_t i = 0; i < kLimbs; ++i) require_below(a.limb[i], i % 2 == 0 ? even : odd);
}
inline void require_tight(const Field& a) {
  require_below(a, (std::uint64_t{1} << 26) + (std::uint64_t{1} << 10),
                (std::uint64_t{1} << 25) + (std::uint64_t{1} << 17));
}
inline void require_loose(const Field& a) {
  constexpr std::uint64_t kMost = 0xffffffffU / 19;  // 3.368 * 2^26
  require_below(a, kMost, kMost / 2);
}

/// One parallel pass: of limbs below 2^29 it leaves a carry of at most 2^4, 19 * 2^4 into limb 0.
inline Field carry(const Field& a) {
  require_below(a, std::uint64_t{1} << 29, std::uint64_t{1} << 29);
  const auto mask26 = broadcast(kLow26), mask25 = broadcast(kLow25);
  Vector over[kLimbs];
  for (std::size_t i = 0; i < kLimbs; ++i)
    over[i] = i % 2 == 0 ? _mm256_srli_epi64(a.limb[i], 26) : _mm256_srli_epi64(a.limb[i], 25);
  Field out;
  out.limb[0] = _mm256_add_epi64(_mm256_and_si256(a.limb[0], mask26), _mm256_mul_epu32(over[9], broadcast(19)));
  for (std::size_t i = 1; i < kLimbs; ++i)
    out.limb[i] = _mm256_add_epi64(_mm256_and_si256(a.limb[i], i % 2 == 0 ? mask26 : mask25), over[i - 1]);
  require_tight(out);
  return out;
}

/// a + b: loose if both are tight, else raw.
inline Field raw_add(const Field& a, const Field& b) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_add_epi64(a.limb[i], b.limb[i]);
  return out;
}
template <std::uint64_t kTimes>
inline Field add_p_and_subtract(const Field& a, const Field& b) {
  const auto low = broadcast(kTimes * (kLow26 - 18)), even = broadcast(kTimes * kLow26),
             odd = broadcast(kTimes * kLow25);
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i)
    out.limb[i] = _mm256_sub_epi64(_mm256_add_epi64(a.limb[i], i == 0 ? low : i % 2 == 0 ? even : odd), b.limb[i]);
  return out;
}
/// a + 2p - b for a tight b: loose if a is tight, else raw.
inline Field raw_subtract(const Field& a, const Field& b) {
  require_tight(b);
  return add_p_and_subtract<2>(a, b);
}
/// The sum or difference of two tight ones as an operand of a product: it is loose already.
inline Field operand(const Field& a) { return a; }

/// The columns of a product, carried along two chains at once. The last carry into limb 1 is below 2^16, the one into
/// limb 5 below 2^12: tight.
inline Field carry_columns(Vector (&h)[kLimbs]) {
  for (const auto& column : h) require_below(column, 0x5a827999fcef3242);  // 2^62.5
  const auto mask26 = broadcast(kLow26), mask25 = broadcast(kLow25);
  const auto pass = [&](std::size_t from) {
    const auto over = from % 2 == 0 ? _mm256_srli_epi64(h[from], 26) : _mm256_srli_epi64(h[from], 25);
    h[from] = _mm256_and_si256(h[from], from % 2 == 0 ? mask26 : mask25);
    h[from + 1] = _mm256_add_epi64(h[from + 1], over);
  };
  pass(0);
  pass(4);
  pass(1);
  pass(5);
  pass(2);
  pass(6);
  pass(3);
  pass(7);
  pass(4);
  pass(8);
  const auto over = _mm256_srli_epi64(h[9], 25);  // below 2^38
  h[9] = _mm256_and_si256(h[9], mask25);
  h[0] = _mm256_add_epi64(
      h[0], _mm256_add_epi64(_mm256_add_epi64(_mm256_slli_epi64(over, 4), _mm256_slli_epi64(over, 1)), over));
  pass(0);
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = h[i];
  require_tight(out);
  return out;
}

inline Field multiply(const Field& a, const Field& b) {
  require_loose(a);
  require_loose(b);
  const auto nineteen = broadcast(19);
  Vector b19[kLimbs], a2[kLimbs], h[kLimbs];
#pragma GCC unroll 10
  for (std::size_t i = 0; i < kLimbs; ++i) {
    b19[i] = _mm256_mul_epu32(b.limb[i], nineteen);
    a2[i] = _mm256_add_epi64(a.limb[i], a.limb[i]);
    h[i] = _mm256_setzero_si256();
  }
#pragma GCC unroll 10
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 10
    for (std::size_t j = 0; j < kLimbs; ++j) {
      const auto& left = i % 2 == 1 && j % 2 == 1 ? a2[i] : a.limb[i];
      const auto& right = i + j >= kLimbs ? b19[j] : b.limb[j];
      const auto column = (i + j) % kLimbs;
      h[column] = _mm256_add_epi64(h[column], _mm256_mul_epu32(left, right));
    }
  }
  return carry_columns(h);
}

inline Field square(const Field& a) {
  require_loose(a);
  const auto nineteen = broadcast(19);
  Vector a19[kLimbs], a2[kLimbs], h[kLimbs];
#pragma GCC unroll 10
  for (std::size_t i = 0; i < kLimbs; ++i) {
    a19[i] = _mm256_mul_epu32(a.limb[i], nineteen);
    a2[i] = _mm256_add_epi64(a.limb[i], a.limb[i]);
    h[i] = _mm256_setzero_si256();
  }
#pragma GCC unroll 10
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 10
    for (std::size_t j = i; j < kLimbs; ++j) {
      // Once for i = j, twice otherwise; twice again for two odd limbs, the second time by doubling the product.
      const auto& right = i + j >= kLimbs ? a19[j] : a.limb[j];
      const bool both_odd = i % 2 == 1 && j % 2 == 1;
      auto product = _mm256_mul_epu32(i != j || both_odd ? a2[i] : a.limb[i], right);
      if (i != j && both_odd) product = _mm256_slli_epi64(product, 1);
      const auto column = (i + j) % kLimbs;
      h[column] = _mm256_add_epi64(h[column], product);
    }
  }
  return carry_columns(h);
}

// --- Products as their sums and differences want them, which are then operands: tight here, since columns leave no
// room to put a carry off.

inline Field product(const Field& a, const Field& b) { return multiply(a, b); }
inline Field squared(const Field& a) { return square(a); }
inline Field sum(const Field& a, const Field& b) { return raw_add(a, b); }
inline Field difference(const Field& a, const Field& b) { return raw_subtract(a, b); }
/// c - a - b.
inline Field difference_of_sum(const Field& c, const Field& a, const Field& b) {
  const auto sum = raw_add(a, b);
  require_below(sum, 4 * (kLow26 - 18), 4 * kLow25);
  return carry(add_p_and_subtract<4>(c, sum));
}
/// 2c + a - b.
inline Field twice_and_difference(const Field& c, const Field& a, const Field& b) {
  return carry(raw_subtract(raw_add(raw_add(c, c), a), b));
}

// --- To and from limbs of radix 2^51: two of ours are one of them.

/// Limbs below 2^52.
inline Field from_limbs51(const Vector (&limbs)[5]) {
  Field out;
  for (std::size_t i = 0; i < 5; ++i) {
    out.limb[2 * i] = _mm256_and_si256(limbs[i], broadcast(kLow26));
    out.limb[2 * i + 1] = _mm256_srli_epi64(limbs[i], 26);
  }
  return carry(out);
}
inline void to_limbs51(const Field& a, Vector (&limbs)[5]) {
  for (std::size_t i = 0; i < 5; ++i)
    limbs[i] = _mm256_add_epi64(a.limb[2 * i], _mm256_slli_epi64(a.limb[2 * i + 1], 26));
}

}  // namespace
