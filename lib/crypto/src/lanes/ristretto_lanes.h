// Private to the translation units of the lanes, each of which has included its field before: ristretto255 (RFC 9496)
// upon the lanes of a vector, in terms of
//   Vector, kWidth: its lanes of 64 bits; broadcast, shift_right, mask_of, is_same, choose, swap_lanes
//   Field: multiply, square (tight from operands), carry (tight from raw), operand, raw_add, raw_subtract, product,
//   squared, and of these sum, difference, difference_of_sum, twice_and_difference (operands); from_limbs51, to_limbs51
// A Field is tight unless it says otherwise. Everything is in an unnamed namespace and nothing is inlined from
// elsewhere: see lanes.h. Nothing branches or indexes on a value; masks are all ones or zero in each lane.
#pragma once

#include "lanes.h"

namespace {

using LanePoint = pake::crypto::lanes::Point;

// --- Constants (RFC 9496, Section 4.1; RFC 8032, Section 5.1), in limbs of radix 2^51.

struct Limbs51 {
  std::uint64_t limb[5];
};
constexpr Limbs51 kOne = {{1, 0, 0, 0, 0}};
constexpr Limbs51 kD = {{0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff}};
constexpr Limbs51 kTwoD = {{0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}};
constexpr Limbs51 kSqrtMinusOne = {
    {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};
constexpr Limbs51 kSqrtAdMinusOne = {
    {0x7f6a0497b2e1b, 0x1836f0a97afd2, 0x7d747f6be7638, 0x456079e7e6498, 0x376931bf2b834}};
constexpr Limbs51 kInvSqrtAMinusD = {
    {0x0fdaa805d40ea, 0x2eb482e57d339, 0x007610274bc58, 0x6510b613dc8ff, 0x786c8905cfaff}};
constexpr Limbs51 kOneMinusDSquared = {
    {0x409c1945fc176, 0x719abc6a1fc4f, 0x01c37f90b20684, 0x06bccca55eedf, 0x029072a8b2b3e}};
constexpr Limbs51 kDMinusOneSquared = {
    {0x55aaa44ed4d20, 0x59603c3332635, 0x26d3baf4a7928, 0x120a66e6997a9, 0x5968b37af66c2}};
constexpr Limbs51 kBaseX = {{0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe, 0x216936d3cd6e5}};
constexpr Limbs51 kBaseY = {{0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333, 0x6666666666666}};

inline Field constant(const Limbs51& value) {
  Vector limbs[5];
  for (std::size_t i = 0; i < 5; ++i) limbs[i] = broadcast(value.limb[i]);
  return from_limbs51(limbs);
}
inline Field zero() {
  Field out;
  for (auto& limb : out.limb) limb = broadcast(0);
  return out;
}

// --- Small arithmetic, tight to tight.

inline Field operator*(const Field& a, const Field& b) { return multiply(a, b); }
inline Field operator+(const Field& a, const Field& b) { return carry(raw_add(a, b)); }
inline Field operator-(const Field& a, const Field& b) { return carry(raw_subtract(a, b)); }
inline Field negate(const Field& a) { return carry(raw_subtract(zero(), a)); }

inline Field select(Vector mask, const Field& a, const Field& b) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = choose(mask, a.limb[i], b.limb[i]);
  return out;
}

/// The value below p, in limbs of radix 2^51.
inline void canonical(const Field& a, Vector (&limb)[5]) {
  const auto mask = broadcast(kLow51);
  const auto times_19 = [](Vector x) { return (x << 4) + (x << 1) + x; };
  to_limbs51(a, limb);
  for (int pass = 0; pass < 2; ++pass) {  // the second leaves a value below 2^255 in limbs below 2^51
    for (std::size_t i = 0; i < 4; ++i) {
      limb[i + 1] = limb[i + 1] + shift_right(limb[i], 51);
      limb[i] = limb[i] & mask;
    }
    const auto over = shift_right(limb[4], 51);
    limb[4] = limb[4] & mask;
    limb[0] = limb[0] + times_19(over);
  }
  for (const auto& x : limb) require_below(x, kLow51 + 1);
  // Adding 19 reaches 2^255 if and only if the value is p or above: then 19 are added, and 2^255 dropped.
  auto over = shift_right(limb[0] + broadcast(19), 51);
  for (std::size_t i = 1; i < 5; ++i) over = shift_right(limb[i] + over, 51);
  require_below(over, 2);
  limb[0] = limb[0] + times_19(over);
  for (std::size_t i = 0; i < 4; ++i) {
    limb[i + 1] = limb[i + 1] + shift_right(limb[i], 51);
    limb[i] = limb[i] & mask;
  }
  limb[4] = limb[4] & mask;
}

/// Whether the value below p is odd (RFC 9496's IS_NEGATIVE).
inline Vector is_negative(const Field& a) {
  Vector limb[5];
  canonical(a, limb);
  return mask_of(limb[0] & broadcast(1));
}
inline Vector is_zero(const Field& a) {
  Vector limb[5];
  canonical(a, limb);
  auto any = limb[0];
  for (std::size_t i = 1; i < 5; ++i) any = any | limb[i];
  return is_same(any, broadcast(0));
}
inline Vector is_equal(const Field& a, const Field& b) { return is_zero(a - b); }
inline Field absolute(const Field& a) { return select(is_negative(a), negate(a), a); }

inline Field square_times(Field a, int times) {
  for (int i = 0; i < times; ++i) a = square(a);
  return a;
}

/// a^((p - 5) / 8) = a^(2^252 - 3).
inline Field power_p58(const Field& a) {
  const auto a2 = square(a);
  const auto a9 = square_times(a2, 2) * a;
  const auto a11 = a9 * a2;
  const auto a5_0 = square(a11) * a9;  // a^(2^5 - 1), and so on
  const auto a10_0 = square_times(a5_0, 5) * a5_0;
  const auto a20_0 = square_times(a10_0, 10) * a10_0;
  const auto a40_0 = square_times(a20_0, 20) * a20_0;
  const auto a50_0 = square_times(a40_0, 10) * a10_0;
  const auto a100_0 = square_times(a50_0, 50) * a50_0;
  const auto a200_0 = square_times(a100_0, 100) * a100_0;
  const auto a250_0 = square_times(a200_0, 50) * a50_0;
  return square_times(a250_0, 2) * a;
}

/// RFC 9496, Section 4.2, SQRT_RATIO_M1: the mask says whether u / v is a square (zero included); `root` becomes the
/// non-negative root of u / v, or else of sqrt(-1) * u / v.
inline Vector sqrt_ratio(const Field& u, const Field& v, Field& root) {
  const auto v3 = square(v) * v;
  const auto v7 = square(v3) * v;
  const auto r = u * v3 * power_p58(u * v7);
  const auto check = v * square(r);
  const auto i = constant(kSqrtMinusOne);
  const auto minus_u = negate(u);
  const auto correct = is_equal(check, u);
  const auto flipped = is_equal(check, minus_u);
  const auto flipped_i = is_equal(check, minus_u * i);
  root = absolute(select(flipped | flipped_i, r * i, r));
  return correct | flipped;
}

// --- Points: extended coordinates on -x^2 + y^2 = 1 + d x^2 y^2.

struct Extended {
  Field X, Y, Z, T;
};
/// What is added: Y + X and Y - X and 2Z are operands, 2dT is tight.
struct Cached {
  Field y_plus_x, y_minus_x, z2, t2d;
};

inline Extended identity() { return {zero(), constant(kOne), constant(kOne), zero()}; }

inline Cached cache(const Extended& P) {
  return {operand(raw_add(P.Y, P.X)), operand(raw_subtract(P.Y, P.X)), operand(raw_add(P.Z, P.Z)),
          P.T * constant(kTwoD)};
}

/// Hisil, Wong, Carter, Dawson: Twisted Edwards curves revisited (2008), Section 3.1 with k = 2d. Complete.
template <bool kAffine>
inline void add_to(Extended& P, const Cached& Q) {
  const auto A = product(operand(raw_subtract(P.Y, P.X)), Q.y_minus_x);
  const auto B = product(operand(raw_add(P.Y, P.X)), Q.y_plus_x);
  const auto C = product(P.T, Q.t2d);
  const auto D = kAffine ? carry(raw_add(P.Z, P.Z)) : product(P.Z, Q.z2);  // Z2 = 1
  const auto E = difference(B, A), F = difference(D, C);
  const auto G = sum(D, C), H = sum(B, A);
  P.X = multiply(E, F);
  P.Y = multiply(G, H);
  P.Z = multiply(F, G);
  P.T = multiply(E, H);
}
inline Extended add(const Extended& P, const Cached& Q) {
  auto sum = P;
  add_to<false>(sum, Q);
  return sum;
}

/// 2^times * P. The same paper, Section 3.3, with a = -1; F and H, and with them all coordinates, have the other sign.
/// T is computed once, at the end: a doubling does not read it. (One loop for every use: the code of a multiplication
/// has to stay within the first cache.)
inline void double_times(Extended& P, int times) {
  Field E, H;
  for (int i = 0; i < times; ++i) {
    const auto A = squared(P.X), B = squared(P.Y), ZZ = squared(P.Z);
    E = difference_of_sum(squared(operand(raw_add(P.X, P.Y))), A, B);
    const auto G = difference(B, A);
    const auto F = twice_and_difference(ZZ, A, B);
    H = sum(A, B);
    P.X = multiply(E, F);
    P.Y = multiply(G, H);
    P.Z = multiply(F, G);
  }
  P.T = multiply(E, H);
}
inline Extended twice(const Extended& P) {
  auto doubled = P;
  double_times(doubled, 1);
  return doubled;
}

/// RFC 9496, Section 4.3.2, Encode, up to the bytes.
inline Field compress(const Extended& P) {
  const auto u1 = (P.Z + P.Y) * (P.Z - P.Y);
  const auto u2 = P.X * P.Y;
  Field inverse_root;
  static_cast<void>(sqrt_ratio(constant(kOne), u1 * square(u2), inverse_root));
  const auto den1 = inverse_root * u1, den2 = inverse_root * u2;
  const auto z_inverse = den1 * den2 * P.T;
  const auto i = constant(kSqrtMinusOne);
  const auto rotate = is_negative(P.T * z_inverse);
  const auto x = select(rotate, P.Y * i, P.X);
  const auto y = select(rotate, P.X * i, P.Y);
  const auto den_inverse = select(rotate, den1 * constant(kInvSqrtAMinusD), den2);
  const auto signed_y = select(is_negative(x * z_inverse), negate(y), y);
  return absolute(den_inverse * (P.Z - signed_y));
}

/// RFC 9496, Section 4.3.1, Decode, from s on: whether s is the encoding of an element.
inline Vector decompress(const Field& s, Extended& P) {
  const auto one = constant(kOne);
  const auto ss = square(s);
  const auto u1 = one - ss, u2 = one + ss;
  const auto u2_squared = square(u2);
  const auto v = negate(constant(kD) * square(u1)) - u2_squared;
  Field inverse_root;
  const auto was_square = sqrt_ratio(one, v * u2_squared, inverse_root);
  const auto den_x = inverse_root * u2;
  const auto den_y = inverse_root * den_x * v;
  P.X = absolute((s + s) * den_x);
  P.Y = u1 * den_y;
  P.Z = one;
  P.T = P.X * P.Y;
  return was_square & ~(is_negative(P.T) | is_zero(P.Y));
}

/// RFC 9496, Section 4.3.4, MAP.
inline Extended map(const Field& t) {
  const auto one = constant(kOne), d = constant(kD);
  const auto r = constant(kSqrtMinusOne) * square(t);
  const auto u = (r + one) * constant(kOneMinusDSquared);
  const auto v = (negate(one) - r * d) * (r + d);
  Field s;
  const auto was_square = sqrt_ratio(u, v, s);
  s = select(was_square, s, negate(absolute(s * t)));
  const auto c = select(was_square, negate(one), r);
  const auto N = c * (r - one) * constant(kDMinusOneSquared) - v;
  const auto ss = square(s);
  const auto w0 = (s + s) * v, w1 = N * constant(kSqrtAdMinusOne), w2 = one - ss, w3 = one + ss;
  return {w0 * w3, w2 * w1, w1 * w3, w0 * w2};
}

// --- Between lanes and memory.

inline Vector load(const std::uint64_t (&lanes)[kWidth]) {
  Vector x;
  __builtin_memcpy(&x, lanes, sizeof x);
  return x;
}
inline void store(Vector x, std::uint64_t (&lanes)[kWidth]) { __builtin_memcpy(lanes, &x, sizeof x); }

/// Lane i of every limb from lanes[i]; limbs below 2^52, as lanes.h says.
inline Field gather(const std::uint64_t* const (&lanes)[kWidth]) {
  Vector limbs[5];
  for (std::size_t k = 0; k < 5; ++k) {
    std::uint64_t values[kWidth];
    for (std::size_t i = 0; i < kWidth; ++i) values[i] = lanes[i][k];
    limbs[k] = load(values);
    require_below(limbs[k], std::uint64_t{1} << 52);
  }
  return from_limbs51(limbs);
}
/// `count` points, the last of them in the lanes beyond.
inline Extended load(const LanePoint* const* points, std::size_t count) {
  Field coordinates[4];
  for (std::size_t c = 0; c < 4; ++c) {
    const std::uint64_t* lanes[kWidth];
    for (std::size_t i = 0; i < kWidth; ++i) lanes[i] = points[i < count ? i : count - 1]->coordinates[c];
    coordinates[c] = gather(lanes);
  }
  return {coordinates[0], coordinates[1], coordinates[2], coordinates[3]};
}
inline void store(const Extended& P, LanePoint* points, std::size_t count) {
  const Field* const coordinates[4] = {&P.X, &P.Y, &P.Z, &P.T};
  for (std::size_t c = 0; c < 4; ++c) {
    Vector limbs[5];
    to_limbs51(*coordinates[c], limbs);
    for (std::size_t k = 0; k < 5; ++k) {
      std::uint64_t values[kWidth];
      store(limbs[k], values);
      for (std::size_t i = 0; i < kWidth && i < count; ++i) points[i].coordinates[c][k] = values[i];
    }
  }
}
inline void store_encodings(const Field& s, std::uint8_t (*encodings)[32], std::size_t count) {
  Vector limbs[5];
  canonical(s, limbs);
  std::uint64_t values[5][kWidth];
  for (std::size_t k = 0; k < 5; ++k) store(limbs[k], values[k]);
  for (std::size_t i = 0; i < kWidth && i < count; ++i) {
    const std::uint64_t words[4] = {values[0][i] | values[1][i] << 51, values[1][i] >> 13 | values[2][i] << 38,
                                    values[2][i] >> 26 | values[3][i] << 25, values[3][i] >> 39 | values[4][i] << 12};
    for (std::size_t b = 0; b < 32; ++b) encodings[i][b] = static_cast<std::uint8_t>(words[b / 8] >> (8 * (b % 8)));
  }
}
/// 32 bytes little-endian, bit 255 dropped; the mask says whether they were below p, non-negative, and without it.
inline std::uint64_t read_limbs51(const std::uint8_t* bytes, std::uint64_t (&limbs)[5]) {
  std::uint64_t words[4] = {};
  for (std::size_t b = 0; b < 32; ++b) words[b / 8] |= std::uint64_t{bytes[b]} << (8 * (b % 8));
  limbs[0] = words[0] & kLow51;
  limbs[1] = (words[0] >> 51 | words[1] << 13) & kLow51;
  limbs[2] = (words[1] >> 38 | words[2] << 26) & kLow51;
  limbs[3] = (words[2] >> 25 | words[3] << 39) & kLow51;
  limbs[4] = words[3] >> 12 & kLow51;
  auto over = (limbs[0] + 19) >> 51;  // as in `canonical`
  for (std::size_t i = 1; i < 5; ++i) over = (limbs[i] + over) >> 51;
  const auto bad = over | words[3] >> 63 | (words[0] & 1);
  return bad - 1;  // bad is 0 or 1
}

// --- Scalars.

/// 64 digits in [-8, 8] with scalar = sum digit[i] * 16^i, for a scalar below 2^255.
inline void recode(const std::uint8_t* scalar, std::int8_t (&digits)[64]) {
  for (std::size_t i = 0; i < 32; ++i) {
    digits[2 * i] = static_cast<std::int8_t>(scalar[i] & 15);
    digits[2 * i + 1] = static_cast<std::int8_t>(scalar[i] >> 4);
  }
  int over = 0;
  for (std::size_t i = 0; i < 63; ++i) {
    const int digit = digits[i] + over;
    over = (digit + 8) >> 4;
    digits[i] = static_cast<std::int8_t>(digit - (over << 4));
  }
  digits[63] = static_cast<std::int8_t>(digits[63] + over);
}

/// digit * P out of P, 2P, ..., 8P, lane by lane: all eight are read. kAffine: without 2Z.
template <bool kAffine>
inline Cached look_up(const Cached (&multiples)[8], Vector digit) {
  const auto below_zero = mask_of(shift_right(digit, 63));
  const auto magnitude = (digit ^ below_zero) - below_zero;
  const auto is_none = is_same(magnitude, broadcast(0));
  const auto one = is_none & broadcast(1), two = is_none & broadcast(2);
  Cached out = {zero(), zero(), zero(), zero()};  // of digit 0: the identity, 1, 1, 2, 0
  out.y_plus_x.limb[0] = out.y_minus_x.limb[0] = one;
  out.z2.limb[0] = two;
  for (std::size_t i = 0; i < 8; ++i) {
    const auto wanted = is_same(magnitude, broadcast(i + 1));
    const auto take = [&](Field& to, const Field& from) {
      for (std::size_t k = 0; k < kLimbs; ++k) to.limb[k] = to.limb[k] | (from.limb[k] & wanted);
    };
    take(out.y_plus_x, multiples[i].y_plus_x);
    take(out.y_minus_x, multiples[i].y_minus_x);
    if (!kAffine) take(out.z2, multiples[i].z2);
    take(out.t2d, multiples[i].t2d);
  }
  return {select(below_zero, out.y_minus_x, out.y_plus_x), select(below_zero, out.y_plus_x, out.y_minus_x), out.z2,
          select(below_zero, negate(out.t2d), out.t2d)};
}

inline void cache_multiples(const Extended& P, Cached (&multiples)[8]) {
  multiples[0] = cache(P);
  const auto P2 = twice(P);
  multiples[1] = cache(P2);
  const auto P3 = add(P2, multiples[0]);
  multiples[2] = cache(P3);
  const auto P4 = twice(P2);
  multiples[3] = cache(P4);
  multiples[4] = cache(add(P4, multiples[0]));
  const auto P6 = twice(P3);
  multiples[5] = cache(P6);
  multiples[6] = cache(add(P6, multiples[0]));
  multiples[7] = cache(twice(P4));
}

/// A digit of each lane, where `digit(i)` is that of lane i.
template <class Digit>
inline Vector gather_digits(const Digit& digit) {
  std::uint64_t values[kWidth];
  for (std::size_t i = 0; i < kWidth; ++i) values[i] = static_cast<std::uint64_t>(std::int64_t{digit(i)});
  return load(values);
}

// --- The calls of lanes.h, kWidth of the batch at a time.

void decode_lanes(const std::uint8_t* const* encodings, std::size_t count, LanePoint* points, std::uint64_t* valid) {
  for (std::size_t first = 0; first < count; first += kWidth) {
    const auto left = count - first;
    std::uint64_t limbs[kWidth][5], canonical_bytes[kWidth], was_valid[kWidth];
    const std::uint64_t* lanes[kWidth];
    for (std::size_t i = 0; i < kWidth; ++i) {
      canonical_bytes[i] = read_limbs51(encodings[i < left ? first + i : first], limbs[i]);
      lanes[i] = limbs[i];
    }
    Extended P;
    store(decompress(gather(lanes), P), was_valid);
    store(P, points + first, left);
    for (std::size_t i = 0; i < kWidth && i < left; ++i) valid[first + i] = was_valid[i] & canonical_bytes[i];
  }
}

void encode_lanes(const LanePoint* const* points, std::size_t count, std::uint8_t (*encodings)[32]) {
  for (std::size_t first = 0; first < count; first += kWidth)
    store_encodings(compress(load(points + first, count - first)), encodings + first, count - first);
}

void multiply_lanes(const std::uint8_t* const* scalars, const LanePoint* const* points, std::size_t count,
                    LanePoint* products, std::uint8_t (*encodings)[32]) {
  for (std::size_t first = 0; first < count; first += kWidth) {
    const auto left = count - first;
    std::int8_t digits[kWidth][64];
    for (std::size_t i = 0; i < kWidth; ++i) recode(scalars[i < left ? first + i : first], digits[i]);
    Cached multiples[8];
    cache_multiples(load(points + first, left), multiples);
    const auto digit = [&](std::size_t at) { return gather_digits([&](std::size_t i) { return digits[i][at]; }); };
    auto sum = add(identity(), look_up<false>(multiples, digit(63)));
    for (std::size_t at = 63; at-- > 0;) {
      double_times(sum, 4);
      add_to<false>(sum, look_up<false>(multiples, digit(at)));
    }
    store(sum, products + first, left);
    store_encodings(compress(sum), encodings + first, left);
  }
}

template <int kDistance>
inline Extended swap_lanes_of(const Extended& P) {
  Extended out;
  for (std::size_t k = 0; k < kLimbs; ++k) {
    out.X.limb[k] = swap_lanes<kDistance>(P.X.limb[k]);
    out.Y.limb[k] = swap_lanes<kDistance>(P.Y.limb[k]);
    out.Z.limb[k] = swap_lanes<kDistance>(P.Z.limb[k]);
    out.T.limb[k] = swap_lanes<kDistance>(P.T.limb[k]);
  }
  return out;
}
/// The sum of all lanes, in every lane.
template <int kDistance = 1>
inline Extended add_across(const Extended& P) {
  if constexpr (kDistance >= int{kWidth})
    return P;
  else
    return add_across<2 * kDistance>(add(P, cache(swap_lanes_of<kDistance>(P))));
}

/// The generator's multiples for each row of digits of each lane. Digit d of a scalar belongs to lane
/// d / (kPasses * kRows), and in it to row d / kPasses and pass d % kPasses: a pass adds one digit of every row.
struct GeneratorTable {
  static constexpr std::size_t kPasses = kWidth == 1 ? 2 : 1;  // half as large a table where one lane has all digits
  static constexpr std::size_t kRows = 64 / kWidth / kPasses;

  /// multiples[m][v - 1] holds, in lane i, v * 16^(kPasses * (kRows * i + m)) * B with Z = 1.
  Cached multiples[kRows][8];

  GeneratorTable() {
    const auto x = constant(kBaseX), y = constant(kBaseY);
    LanePoint powers[kWidth];
    const LanePoint* lanes[kWidth];
    auto power = Extended{x, y, constant(kOne), x * y};
    for (std::size_t i = 0; i < kWidth; ++i) {
      store(power, &powers[i], 1);
      lanes[i] = &powers[i];
      double_times(power, 4 * kPasses * kRows);
    }
    auto base = load(lanes, kWidth);
    for (auto& row : multiples) {
      auto P = base;
      const auto step = cache(base);
      for (auto& entry : row) {
        const auto z_inverse = invert(P.Z);
        const auto px = P.X * z_inverse, py = P.Y * z_inverse;
        entry = cache({px, py, constant(kOne), px * py});
        P = add(P, step);
      }
      double_times(base, 4 * kPasses);
    }
  }

  /// a^(p - 2) = (a^((p - 5) / 8))^8 * a^3.
  static Field invert(const Field& a) { return square_times(power_p58(a), 3) * square(a) * a; }
};

void multiply_generator_lanes(const std::uint8_t* scalar, LanePoint* product, std::uint8_t* encoding) {
  static const GeneratorTable table;
  constexpr auto kPasses = GeneratorTable::kPasses, kRows = GeneratorTable::kRows;
  std::int8_t digits[64];
  recode(scalar, digits);
  auto sum = identity();
  for (std::size_t pass = kPasses; pass-- > 0;) {
    if (pass != kPasses - 1) double_times(sum, 4);
    for (std::size_t m = 0; m < kRows; ++m) {
      const auto digit = gather_digits([&](std::size_t i) { return digits[kPasses * (kRows * i + m) + pass]; });
      add_to<true>(sum, look_up<true>(table.multiples[m], digit));
    }
  }
  const auto total = add_across(sum);
  store(total, product, 1);
  store_encodings(compress(total), reinterpret_cast<std::uint8_t(*)[32]>(encoding), 1);
}

/// The first lane of a mask.
inline std::uint64_t first_of(Vector mask) {
  std::uint64_t lanes[kWidth];
  store(mask, lanes);
  return lanes[0];
}

std::uint64_t from_uniform_lanes(const std::uint8_t* bytes, LanePoint* point) {
  std::uint64_t limbs[2][5];
  static_cast<void>(read_limbs51(bytes, limbs[0]));
  static_cast<void>(read_limbs51(bytes + 32, limbs[1]));
  const auto map_from = [&](std::size_t half) {  // one in the even lanes, the other in the odd ones
    const std::uint64_t* lanes[kWidth];
    for (std::size_t i = 0; i < kWidth; ++i) lanes[i] = limbs[(half + i) % 2];
    return map(gather(lanes));
  };
  const auto P = map_from(0);
  Extended sum;
  if constexpr (kWidth == 1)
    sum = add(P, cache(map_from(1)));
  else
    sum = add(P, cache(swap_lanes_of<1>(P)));
  store(sum, point, 1);
  // The identity of ristretto255 is four points of edwards25519: (0, 1), (0, -1) and the two with y = 0.
  return first_of(is_zero(sum.X) | is_zero(sum.Y));
}

constexpr pake::crypto::lanes::Backend make_backend(const char* name, std::size_t fewest) {
  return {
      name, kWidth, fewest, decode_lanes, encode_lanes, multiply_lanes, multiply_generator_lanes, from_uniform_lanes};
}

}  // namespace
