// Private to avx512_ifma.cpp and avx512_ifma_wide.cpp: four field elements modulo p = 2^255 - 19 at once, by AVX-512
// IFMA on ymm registers, or, with PAKE_LANES_WIDE, eight on zmm registers.
//
// A vector holds the same limb of all elements; five limbs of radix 2^51. IFMA multiplies the low 52 bits of its
// operands and adds the low or the high 52 bits of the product, so the one rule is that **every operand of a product is
// below 2^52**. It is kept by three bounds on limbs:
//
//   tight   < 2^51 + 2^17   what `carry`, `multiply` and `square` return, and the only operands of products
//   wide    < 2^60.3        a product whose carry has been put off (see `fold`)
//   raw     < 2^63          sums of wide ones: to be carried before anything else
//
// carry: of limbs below 2^63, one parallel pass carries less than 2^12, which leaves limb i below 2^51 + 2^12, and limb
// 0, into which the top carry comes 19 times, below 2^51 + 19 * 2^12.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "bounds.h"

namespace {

#ifdef PAKE_LANES_WIDE
using Vector = __m512i;
constexpr std::size_t kWidth = 8;
constexpr __mmask8 kAll = 0xff;  // masked by all ones: GCC 12 warns of what its other forms leave undefined

inline Vector broadcast(std::uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); }
/// sum + the low or the high 52 bits of the product of the low 52 bits of a and b.
inline Vector add_low(Vector sum, Vector a, Vector b) { return _mm512_madd52lo_epu64(sum, a, b); }
inline Vector add_high(Vector sum, Vector a, Vector b) { return _mm512_madd52hi_epu64(sum, a, b); }
inline Vector shift_right(Vector x, unsigned bits) { return _mm512_maskz_srli_epi64(kAll, x, bits); }
inline Vector is_same(Vector a, Vector b) { return _mm512_movm_epi64(_mm512_cmpeq_epi64_mask(a, b)); }
inline Vector choose(Vector mask, Vector a, Vector b) { return (a & mask) | (b & ~mask); }
/// Lane i from lane i ^ kDistance.
template <int kDistance>
inline Vector swap_lanes(Vector x) {
  if constexpr (kDistance == 4) return _mm512_maskz_shuffle_i64x2(kAll, x, x, 0x4e);
  if constexpr (kDistance == 2) return _mm512_maskz_permutex_epi64(kAll, x, 0x4e);
  return _mm512_maskz_permutex_epi64(kAll, x, 0xb1);
}
#else
using Vector = __m256i;
constexpr std::size_t kWidth = 4;

inline Vector broadcast(std::uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); }
/// sum + the low or the high 52 bits of the product of the low 52 bits of a and b.
inline Vector add_low(Vector sum, Vector a, Vector b) { return _mm256_madd52lo_epu64(sum, a, b); }
inline Vector add_high(Vector sum, Vector a, Vector b) { return _mm256_madd52hi_epu64(sum, a, b); }
inline Vector shift_right(Vector x, int bits) { return _mm256_srli_epi64(x, bits); }
inline Vector is_same(Vector a, Vector b) { return _mm256_cmpeq_epi64(a, b); }
inline Vector choose(Vector mask, Vector a, Vector b) { return _mm256_blendv_epi8(b, a, mask); }
/// Lane i from lane i ^ kDistance.
template <int kDistance>
inline Vector swap_lanes(Vector x) {
  return _mm256_permute4x64_epi64(x, kDistance == 2 ? 0x4e : 0xb1);
}
#endif
inline Vector mask_of(Vector bit) { return broadcast(0) - bit; }

constexpr std::size_t kLimbs = 5;
constexpr std::uint64_t kLow51 = (std::uint64_t{1} << 51) - 1;

struct Field {
  Vector limb[kLimbs];
};

inline void require_below(const Field& a, std::uint64_t bound) {
  for (const auto& limb : a.limb) require_below(limb, bound);
}
constexpr std::uint64_t kTight = (std::uint64_t{1} << 51) + (std::uint64_t{1} << 17);
constexpr std::uint64_t kWide = std::uint64_t{20 * 15} << 52;

/// The value, of which the optimiser does not know how it came about: it would make one multiplication by 19 of the
/// sums in `fold`, which AVX has for 32 bits only. (MemorySanitizer would take what comes out for defined.)
inline Vector hide(Vector x) {
#ifndef PAKE_CT
  asm("" : "+v"(x));
#endif
  return x;
}
inline Vector twice(Vector x) { return x + x; }

inline Field carry(const Field& a) {
  require_below(a, std::uint64_t{1} << 63);
  const auto mask = broadcast(kLow51);
  Field out;
  Vector over[kLimbs];
  for (std::size_t i = 0; i < kLimbs; ++i) over[i] = shift_right(a.limb[i], 51);
  out.limb[0] = add_low(a.limb[0] & mask, over[4], broadcast(19));
  for (std::size_t i = 1; i < kLimbs; ++i) out.limb[i] = (a.limb[i] & mask) + over[i - 1];
  require_below(out, kTight);
  return out;
}

/// a + b: raw.
inline Field raw_add(const Field& a, const Field& b) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = a.limb[i] + b.limb[i];
  return out;
}
/// a + kTimes * p - b, for a b that kTimes * p exceeds in every limb: raw.
template <std::uint64_t kTimes>
inline Field add_p_and_subtract(const Field& a, const Field& b) {
  require_below(b, kTimes * (kLow51 - 18));
  const auto low = broadcast(kTimes * (kLow51 - 18)), high = broadcast(kTimes * kLow51);
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = a.limb[i] + (i == 0 ? low : high) - b.limb[i];
  return out;
}
/// a - b for a tight b, which 2p exceeds: raw.
inline Field raw_subtract(const Field& a, const Field& b) { return add_p_and_subtract<2>(a, b); }
/// The sum or difference of two tight ones as an operand of a product.
inline Field operand(const Field& a) { return carry(a); }

/// Ten columns of a product to the five limbs of its value modulo p. Column k is once[k] + 2 * doubled[k]; columns 5 to
/// 9 come back 19 times, as 19 = 1 + 2 * 9.
///
/// A half that is split off at bit 52 counts double in the next column of radix 2^51. A column has at most five low
/// halves and five high ones, so it is below 5 * 2^52 + 2 * 5 * 2^52 = 15 * 2^52 < 2^56, and with what comes back below
/// 20 * 15 * 2^52 < 2^60.3: wide.
inline Field fold(const Vector (&once)[10], const Vector (&doubled)[10]) {
  Field out;
  for (std::size_t k = 0; k < kLimbs; ++k) {
    const auto back = hide(once[k + 5] + twice(doubled[k + 5]));
    const auto nine = hide((back << 3) + back);
    out.limb[k] = once[k] + back + twice(doubled[k] + nine);
  }
  require_below(out, kWide);
  return out;
}

/// a * b: wide.
inline Field product(const Field& a, const Field& b) {
  require_below(a, kTight);
  require_below(b, kTight);
  Vector low[10], high[10];
  for (std::size_t k = 0; k < 10; ++k) low[k] = high[k] = broadcast(0);
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) {
      low[i + j] = add_low(low[i + j], a.limb[i], b.limb[j]);
      high[i + j + 1] = add_high(high[i + j + 1], a.limb[i], b.limb[j]);
    }
  }
  return fold(low, high);
}

/// A product of two different limbs is computed once and counts twice (a doubled operand would exceed 52 bits): its low
/// half is added to what is doubled, and its high half doubled before it is. Wide.
inline Field squared(const Field& a) {
  require_below(a, kTight);
  Vector once[10], doubled[10], four_times[10];
  for (std::size_t k = 0; k < 10; ++k) once[k] = doubled[k] = four_times[k] = broadcast(0);
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    once[2 * i] = add_low(once[2 * i], a.limb[i], a.limb[i]);
    doubled[2 * i + 1] = add_high(doubled[2 * i + 1], a.limb[i], a.limb[i]);
#pragma GCC unroll 5
    for (std::size_t j = i + 1; j < kLimbs; ++j) {
      doubled[i + j] = add_low(doubled[i + j], a.limb[i], a.limb[j]);
      four_times[i + j + 1] = add_high(four_times[i + j + 1], a.limb[i], a.limb[j]);
    }
  }
#pragma GCC unroll 10
  for (std::size_t k = 0; k < 10; ++k) doubled[k] = doubled[k] + twice(four_times[k]);
  return fold(once, doubled);
}

inline Field multiply(const Field& a, const Field& b) { return carry(product(a, b)); }
inline Field square(const Field& a) { return carry(squared(a)); }

// --- Sums and differences of wide ones, as operands of a product.

inline Field sum(const Field& a, const Field& b) { return carry(raw_add(a, b)); }
/// a - b. A wide b is below 2^60.3, and 1024 p has limbs of about 2^61.
inline Field difference(const Field& a, const Field& b) { return carry(add_p_and_subtract<1024>(a, b)); }
/// c - a - b: what is subtracted is below 2^61.3, and 2048 p has limbs of about 2^62.
inline Field difference_of_sum(const Field& c, const Field& a, const Field& b) {
  return carry(add_p_and_subtract<2048>(c, raw_add(a, b)));
}
/// 2c + a - b: below 2^61.3 + 2^60.3 + 2^61 < 2^63.
inline Field twice_and_difference(const Field& c, const Field& a, const Field& b) {
  return carry(add_p_and_subtract<1024>(raw_add(raw_add(c, c), a), b));
}

// --- To and from limbs of radix 2^51, which these are.

inline Field from_limbs51(const Vector (&limbs)[5]) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = limbs[i];
  return carry(out);
}
inline void to_limbs51(const Field& a, Vector (&limbs)[5]) {
  for (std::size_t i = 0; i < kLimbs; ++i) limbs[i] = a.limb[i];
}

}  // namespace
