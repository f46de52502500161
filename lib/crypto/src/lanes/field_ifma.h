// Private to avx512_ifma.cpp: four field elements modulo p = 2^255 - 19 at once, by AVX-512 IFMA on ymm registers.
//
// A vector holds the same limb of four elements; five limbs of radix 2^51. IFMA multiplies the low 52 bits of its
// operands and adds the low or the high 52 bits of the product, so the one rule is that **every operand of a product is
// below 2^52**. It is kept by three bounds on limbs:
//
//   tight   < 2^51 + 2^14   what `carry`, `multiply` and `square` return, and the only operands of them
//   raw     < 2^55          what the raw sums return: to be carried before anything else
//
// carry: of limbs below 2^61, one parallel pass leaves limb i below 2^51 + 2^10, and limb 0, into which the top carry
// comes 19 times, below 2^51 + 19 * 2^10 for products (see `multiply`), below 2^51 + 19 * 2^4 for raw sums.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#if !defined(NDEBUG) && !defined(PAKE_CT)
#include <cstdlib>
#define PAKE_LANES_CHECK_BOUNDS
#endif

namespace {

using Vector = __m256i;

inline Vector broadcast(std::uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); }

constexpr std::size_t kLimbs = 5;
constexpr std::uint64_t kLow51 = (std::uint64_t{1} << 51) - 1;

struct Field {
  Vector limb[kLimbs];
};

#ifdef PAKE_LANES_CHECK_BOUNDS
inline void require_below(const Field& a, std::uint64_t bound) {
  for (const auto& limb : a.limb) {
    alignas(32) std::uint64_t values[4];
    _mm256_store_si256(reinterpret_cast<Vector*>(values), limb);
    for (const auto value : values)
      if (value >= bound) std::abort();
  }
}
#else
inline void require_below(const Field&, std::uint64_t) {}
#endif
constexpr std::uint64_t kTight = (std::uint64_t{1} << 51) + (std::uint64_t{1} << 14);

/// 19 * x = 16x + 2x + x, for x below 2^59.
inline Vector times_19(Vector x) {
  return _mm256_add_epi64(_mm256_add_epi64(_mm256_slli_epi64(x, 4), _mm256_slli_epi64(x, 1)), x);
}

inline Field carry(const Field& a) {
  require_below(a, std::uint64_t{1} << 61);
  const auto mask = broadcast(kLow51);
  Field out;
  Vector over[kLimbs];
  for (std::size_t i = 0; i < kLimbs; ++i) over[i] = _mm256_srli_epi64(a.limb[i], 51);
  out.limb[0] = _mm256_add_epi64(_mm256_and_si256(a.limb[0], mask), times_19(over[4]));
  for (std::size_t i = 1; i < kLimbs; ++i)
    out.limb[i] = _mm256_add_epi64(_mm256_and_si256(a.limb[i], mask), over[i - 1]);
  require_below(out, kTight);
  return out;
}

/// a + b: raw.
inline Field raw_add(const Field& a, const Field& b) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_add_epi64(a.limb[i], b.limb[i]);
  return out;
}
/// a + 2p - b for a tight b (2p has limbs of at least 2^52 - 38): raw.
inline Field raw_subtract(const Field& a, const Field& b) {
  require_below(b, kTight);
  const auto low = broadcast(2 * (kLow51 - 18)), high = broadcast(2 * kLow51);
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i)
    out.limb[i] = _mm256_sub_epi64(_mm256_add_epi64(a.limb[i], i == 0 ? low : high), b.limb[i]);
  return out;
}
/// a + 4p - b for b below 2^53 - 76, as the sum of two tight ones is: raw.
inline Field raw_subtract_sum(const Field& a, const Field& b) {
  require_below(b, (std::uint64_t{1} << 53) - 76);
  const auto low = broadcast(4 * (kLow51 - 18)), high = broadcast(4 * kLow51);
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i)
    out.limb[i] = _mm256_sub_epi64(_mm256_add_epi64(a.limb[i], i == 0 ? low : high), b.limb[i]);
  return out;
}
/// The sum or difference of two tight ones as an operand of a product.
inline Field operand(const Field& a) { return carry(a); }

/// The columns of a product, folded and carried. lo[k] and hi[k] are the sums of the low and high halves of the
/// products of column k; a half that is split off at bit 52 counts double in the next column of radix 2^51, so hi[k] is
/// to be added twice to column k. A column has at most five of each, so it is below 5 * 2^52 + 2 * 5 * 2^52 = 15 * 2^52
/// < 2^56; columns 5 to 9 come back 19 times: below 20 * 15 * 2^52 < 2^61, which carries at most 600 < 2^10.
inline Field fold(const Vector (&lo)[10], const Vector (&hi)[10]) {
  Field out;
  for (std::size_t k = 0; k < kLimbs; ++k) {
    const auto low = _mm256_add_epi64(lo[k], _mm256_slli_epi64(hi[k], 1));
    const auto high = _mm256_add_epi64(lo[k + 5], _mm256_slli_epi64(hi[k + 5], 1));
    out.limb[k] = _mm256_add_epi64(low, times_19(high));
  }
  return carry(out);
}

inline Field multiply(const Field& a, const Field& b) {
  require_below(a, kTight);
  require_below(b, kTight);
  Vector lo[10], hi[10];
  for (std::size_t k = 0; k < 10; ++k) lo[k] = hi[k] = _mm256_setzero_si256();
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) {
      lo[i + j] = _mm256_madd52lo_epu64(lo[i + j], a.limb[i], b.limb[j]);
      hi[i + j + 1] = _mm256_madd52hi_epu64(hi[i + j + 1], a.limb[i], b.limb[j]);
    }
  }
  return fold(lo, hi);
}

/// Products of two different limbs once, and their sums doubled (a doubled operand would exceed 52 bits).
inline Field square(const Field& a) {
  require_below(a, kTight);
  Vector lo[10], hi[10];
  for (std::size_t k = 0; k < 10; ++k) lo[k] = hi[k] = _mm256_setzero_si256();
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = i + 1; j < kLimbs; ++j) {
      lo[i + j] = _mm256_madd52lo_epu64(lo[i + j], a.limb[i], a.limb[j]);
      hi[i + j + 1] = _mm256_madd52hi_epu64(hi[i + j + 1], a.limb[i], a.limb[j]);
    }
  }
#pragma GCC unroll 10
  for (std::size_t k = 0; k < 10; ++k) {
    lo[k] = _mm256_slli_epi64(lo[k], 1);
    hi[k] = _mm256_slli_epi64(hi[k], 1);
  }
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    lo[2 * i] = _mm256_madd52lo_epu64(lo[2 * i], a.limb[i], a.limb[i]);
    hi[2 * i + 1] = _mm256_madd52hi_epu64(hi[2 * i + 1], a.limb[i], a.limb[i]);
  }
  return fold(lo, hi);
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
