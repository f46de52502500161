// Private to portable.cpp: one field element modulo p = 2^255 - 19, by the 64-bit multiplier that every processor of
// ours has. Its lanes are one: what the other fields hold in a vector is a word here.
//
// Five limbs of radix 2^51. Two bounds on limbs:
//
//   tight   < 2^51 + 2^18   what `carry`, `multiply` and `square` return
//   loose   < 2^54          an operand of a product: sums and differences of a few tight ones
//
// A column of a product of two loose ones has five products, of which those that come back count 19 times: column 0 is
// the largest, below (1 + 4 * 19) * 2^108 < 2^114.3. What is above its 51 bits is below 2^63.3, which with the 51 bits
// of the next column fits a word. Column 4 has nothing that comes back, 5 * 2^108 < 2^110.4: what is above its 51 bits,
// 19 times, is below 2^63.7. So one parallel pass leaves limbs of 64 bits, and a second one, `carry`, tight ones.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bounds.h"

namespace {

using Vector = std::uint64_t;
constexpr std::size_t kWidth = 1;

/// The value, of which the optimiser does not know how it came about: of a mask it would make a branch.
inline Vector hide(Vector x) {
  asm("" : "+r"(x));
  return x;
}
inline Vector broadcast(std::uint64_t value) { return value; }
inline Vector shift_right(Vector x, int bits) { return x >> bits; }
inline Vector mask_of(Vector bit) { return hide(0 - bit); }
inline Vector is_same(Vector a, Vector b) {
  const auto x = a ^ b;
  return mask_of(1 ^ ((x | (0 - x)) >> 63));
}
inline Vector choose(Vector mask, Vector a, Vector b) { return b ^ (mask & (a ^ b)); }
/// Of the one lane.
template <int kDistance>
inline Vector swap_lanes(Vector x) {
  return x;
}

constexpr std::size_t kLimbs = 5;
constexpr std::uint64_t kLow51 = (std::uint64_t{1} << 51) - 1;

struct Field {
  Vector limb[kLimbs];
};

inline void require_below(const Field& a, std::uint64_t bound) {
  for (const auto limb : a.limb) require(limb < bound);
}
constexpr std::uint64_t kTight = (std::uint64_t{1} << 51) + (std::uint64_t{1} << 18);
constexpr std::uint64_t kLoose = std::uint64_t{1} << 54;

/// One parallel pass, of limbs of any 64 bits: it carries less than 2^13, 19 * 2^13 into limb 0.
inline Field carry(const Field& a) {
  Field out;
  out.limb[0] = (a.limb[0] & kLow51) + (19 * (a.limb[4] >> 51));
  for (std::size_t i = 1; i < kLimbs; ++i) out.limb[i] = (a.limb[i] & kLow51) + (a.limb[i - 1] >> 51);
  require_below(out, kTight);
  return out;
}

/// a + b: loose if both are tight.
inline Field raw_add(const Field& a, const Field& b) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = a.limb[i] + b.limb[i];
  return out;
}
/// a + kTimes * p - b, for a b that kTimes * p exceeds in every limb.
template <std::uint64_t kTimes>
inline Field add_p_and_subtract(const Field& a, const Field& b) {
  require_below(b, kTimes * (kLow51 - 18));
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i)
    out.limb[i] = a.limb[i] + (kTimes * (i == 0 ? kLow51 - 18 : kLow51)) - b.limb[i];
  return out;
}
/// a - b for a tight b: loose if a is tight.
inline Field raw_subtract(const Field& a, const Field& b) { return add_p_and_subtract<2>(a, b); }
/// The sum or difference of two tight ones as an operand of a product: it is loose already.
inline Field operand(const Field& a) { return a; }

__extension__ using Wide = unsigned __int128;

/// The columns of a product, below 2^114.3, the last one below 2^110.4: tight.
inline Field carry_columns(const Wide (&h)[kLimbs]) {
  for (std::size_t i = 0; i < kLimbs; ++i) require(h[i] >> 108 < (i == 4 ? 5 : 1 + (4 * 19)));
  const auto low = [](Wide column) { return static_cast<std::uint64_t>(column) & kLow51; };
  const auto high = [](Wide column) { return static_cast<std::uint64_t>(column >> 51); };
  return carry({{low(h[0]) + (19 * high(h[4])), low(h[1]) + high(h[0]), low(h[2]) + high(h[1]), low(h[3]) + high(h[2]),
                 low(h[4]) + high(h[3])}});
}

inline Field multiply(const Field& a, const Field& b) {
  require_below(a, kLoose);
  require_below(b, kLoose);
  const auto times = [](std::uint64_t x, std::uint64_t y) { return static_cast<Wide>(x) * y; };
  const auto &x = a.limb, &y = b.limb;
  const auto y1 = 19 * y[1], y2 = 19 * y[2], y3 = 19 * y[3], y4 = 19 * y[4];
  return carry_columns(
      {times(x[0], y[0]) + times(x[1], y4) + times(x[2], y3) + times(x[3], y2) + times(x[4], y1),
       times(x[0], y[1]) + times(x[1], y[0]) + times(x[2], y4) + times(x[3], y3) + times(x[4], y2),
       times(x[0], y[2]) + times(x[1], y[1]) + times(x[2], y[0]) + times(x[3], y4) + times(x[4], y3),
       times(x[0], y[3]) + times(x[1], y[2]) + times(x[2], y[1]) + times(x[3], y[0]) + times(x[4], y4),
       times(x[0], y[4]) + times(x[1], y[3]) + times(x[2], y[2]) + times(x[3], y[1]) + times(x[4], y[0])});
}

/// A product of two different limbs is computed once, of one of them doubled.
inline Field square(const Field& a) {
  require_below(a, kLoose);
  const auto times = [](std::uint64_t x, std::uint64_t y) { return static_cast<Wide>(x) * y; };
  const auto& x = a.limb;
  const auto twice0 = 2 * x[0], twice1 = 2 * x[1], twice2 = 2 * x[2];
  const auto back3 = 19 * x[3], back4 = 19 * x[4];
  return carry_columns({times(x[0], x[0]) + times(twice1, back4) + times(twice2, back3),
                        times(twice0, x[1]) + times(twice2, back4) + times(x[3], back3),
                        times(twice0, x[2]) + times(x[1], x[1]) + times(2 * x[3], back4),
                        times(twice0, x[3]) + times(twice1, x[2]) + times(x[4], back4),
                        times(twice0, x[4]) + times(twice1, x[3]) + times(x[2], x[2])});
}

// --- Products as their sums and differences want them, which are then operands: nothing has to be carried between.

inline Field product(const Field& a, const Field& b) { return multiply(a, b); }
inline Field squared(const Field& a) { return square(a); }
inline Field sum(const Field& a, const Field& b) { return raw_add(a, b); }
inline Field difference(const Field& a, const Field& b) { return raw_subtract(a, b); }
/// c - a - b: 4p exceeds the sum of two tight ones, and the result is below 5 * 2^51 and a little.
inline Field difference_of_sum(const Field& c, const Field& a, const Field& b) {
  return add_p_and_subtract<4>(c, raw_add(a, b));
}
/// 2c + a - b: below 5 * 2^51 and a little.
inline Field twice_and_difference(const Field& c, const Field& a, const Field& b) {
  return raw_subtract(raw_add(raw_add(c, c), a), b);
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
