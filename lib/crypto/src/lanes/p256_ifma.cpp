// P-256 upon four lanes, by AVX-512 IFMA on ymm registers. Everything is in an unnamed namespace and nothing is inlined
// from elsewhere (see lanes.h). Nothing branches or indexes on a value; masks are all ones or zero in each lane.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "bounds.h"
#include "p256.h"

namespace {

using pake::crypto::lanes::P256Lanes;
using pake::crypto::lanes::P256Term;
using Vector = __m256i;

constexpr std::size_t kLanes = 4;
constexpr std::size_t kLimbs = 5;
constexpr std::uint64_t kLow52 = (std::uint64_t{1} << 52) - 1;

inline Vector broadcast(std::uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); }
inline Vector add64(Vector a, Vector b) { return _mm256_add_epi64(a, b); }
inline Vector sub64(Vector a, Vector b) { return _mm256_sub_epi64(a, b); }
inline Vector low52(Vector a) { return _mm256_and_si256(a, broadcast(kLow52)); }

// --- The field: integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 in Montgomery form, value * 2^260 mod p.
//
// A vector holds the same limb of four elements; five limbs of radix 2^52. IFMA reads the low 52 bits of its operands,
// so an operand (Field) has limbs below 2^52 exactly, and its value is above 0 and below 2.01 p. Sums and differences
// (Raw) have limbs of either sign, below 2^60 in magnitude; `reduce` makes an operand of any of them.

struct Field {
  Vector limb[kLimbs];
};
struct Raw {
  Vector limb[kLimbs];
};

/// Of what `carry` returns: only the highest limb can be wrong.
inline void require_operand(const Field& a) {
  require_below(a.limb[4], (std::uint64_t{201} * (std::uint64_t{1} << 48) / 100) + 1);
}
inline void require_raw(const Raw& a) {
  constexpr auto kMost = std::uint64_t{1} << 60;
  for (const auto& limb : a.limb) require_below(add64(limb, broadcast(kMost)), 2 * kMost);
}

inline Raw raw(const Field& a) { return {{a.limb[0], a.limb[1], a.limb[2], a.limb[3], a.limb[4]}}; }
inline Raw operator+(const Raw& a, const Raw& b) {
  Raw out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = add64(a.limb[i], b.limb[i]);
  return out;
}
inline Raw operator-(const Raw& a, const Raw& b) {
  Raw out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = sub64(a.limb[i], b.limb[i]);
  return out;
}
template <int kShift>
inline Raw times_power(const Raw& a) {
  Raw out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_slli_epi64(a.limb[i], kShift);
  return out;
}
inline Raw thrice(const Raw& a) { return a + a + a; }

/// Carries, from the lowest limb to the highest: of a value from 0 to below 2^260.
inline Field carry(const Raw& a) {
  Field out;
  auto limb = a.limb[0];
  for (std::size_t i = 0; i + 1 < kLimbs; ++i) {
    out.limb[i] = low52(limb);
    limb = add64(a.limb[i + 1], _mm256_srai_epi64(limb, 52));
  }
  out.limb[4] = limb;
  require_operand(out);
  return out;
}

/// a modulo p, above 0 and below 2.01 p. q = floor(limb 4 / 2^48) is the value's quotient by 2^256, less the carries
/// that limb 4 has not got yet (below 2^8 of its 2^48); with q - 1 in its place what remains is positive.
inline Field reduce(const Raw& a) {
  require_raw(a);
  const auto q = sub64(_mm256_srai_epi64(a.limb[4], 48), broadcast(1));
  Raw out;  // a - q * p
  out.limb[0] = add64(a.limb[0], q);
  out.limb[1] = sub64(a.limb[1], _mm256_slli_epi64(q, 44));
  out.limb[2] = a.limb[2];
  out.limb[3] = sub64(a.limb[3], _mm256_slli_epi64(q, 36));
  out.limb[4] = add64(sub64(a.limb[4], _mm256_slli_epi64(q, 48)), _mm256_slli_epi64(q, 16));
  return carry(out);
}

inline Vector multiply_low(Vector to, Vector a, Vector b) { return _mm256_madd52lo_epu64(to, a, b); }
inline Vector multiply_high(Vector to, Vector a, Vector b) { return _mm256_madd52hi_epu64(to, a, b); }

/// t / 2^260 modulo p, for t < 4.1 p^2: below t / 2^260 + p < 1.3 p. Since -1 / p is 1 modulo 2^52, the multiple of p
/// that clears limb i is m = t_i mod 2^52, and t_i + m * (2^52 - 1) leaves the carry of t_i alone:
///   t + m * p = t - m + m * 2^96 + m * 2^192 + m * (2^256 - 2^224)
inline Raw montgomery_reduce(Vector (&t)[10]) {
  const auto two_44 = broadcast(std::uint64_t{1} << 44), two_36 = broadcast(std::uint64_t{1} << 36);
  const auto top = broadcast(0xffffffff0000);  // limb 4 of p
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const auto m = low52(t[i]);
    const auto m_44 = low52(_mm256_slli_epi64(t[i], 44));
    t[i + 1] = add64(t[i + 1], add64(_mm256_srli_epi64(t[i], 52), m_44));
    t[i + 2] = multiply_high(t[i + 2], m, two_44);
    t[i + 3] = multiply_low(t[i + 3], m, two_36);
    t[i + 4] = multiply_high(multiply_low(t[i + 4], m, top), m, two_36);
    t[i + 5] = multiply_high(t[i + 5], m, top);
  }
  return {{t[5], t[6], t[7], t[8], t[9]}};
}

/// a * b, the carries put off: from 0 to below 1.3 p.
inline Raw product(const Field& a, const Field& b) {
  Vector t[10];
  for (auto& column : t) column = _mm256_setzero_si256();
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) {
      t[i + j] = multiply_low(t[i + j], a.limb[i], b.limb[j]);
      t[i + j + 1] = multiply_high(t[i + j + 1], a.limb[i], b.limb[j]);
    }
  }
  return montgomery_reduce(t);
}
/// A product of two different limbs is computed once and doubled.
inline Raw squared(const Field& a) {
  Vector t[10], crossed[10];
  for (auto& column : crossed) column = _mm256_setzero_si256();
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = i + 1; j < kLimbs; ++j) {
      crossed[i + j] = multiply_low(crossed[i + j], a.limb[i], a.limb[j]);
      crossed[i + j + 1] = multiply_high(crossed[i + j + 1], a.limb[i], a.limb[j]);
    }
  }
  for (std::size_t k = 0; k < 10; ++k) t[k] = add64(crossed[k], crossed[k]);
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    t[2 * i] = multiply_low(t[2 * i], a.limb[i], a.limb[i]);
    t[2 * i + 1] = multiply_high(t[2 * i + 1], a.limb[i], a.limb[i]);
  }
  return montgomery_reduce(t);
}

// Operands to operands.
inline Field operator*(const Field& a, const Field& b) { return carry(product(a, b)); }
inline Field square(const Field& a) { return carry(squared(a)); }
inline Field operator+(const Field& a, const Field& b) { return reduce(raw(a) + raw(b)); }
inline Field operator-(const Field& a, const Field& b) { return reduce(raw(a) - raw(b)); }

inline Field square_times(Field a, int times) {
  for (int i = 0; i < times; ++i) a = square(a);
  return a;
}

struct Constant {
  std::uint64_t limb[kLimbs];
};
inline Field constant(const Constant& value) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = broadcast(value.limb[i]);
  return out;
}
constexpr Constant kZero = {{0, 0, 0, 0, 0}};
constexpr Constant kPlainOne = {{1, 0, 0, 0, 0}};
constexpr Constant kOne = {{0x10, 0xf000000000000, 0xfffffffffffff, 0xffeffffffffff, 0xfffff}};          // 2^260 mod p
constexpr Constant kRSquared = {{0x300, 0xffffffff00000, 0xffffefffffffb, 0xfdfffffffffff, 0x4ffffff}};  // 2^520 mod p
constexpr Constant kB = {
    {0xdf6229c4bddfd, 0xca8843090d89c, 0x212ed6acf005c, 0x83415a220abf7, 0xc30061dd4874}};  // Montgomery

/// a^(p - 2): the exponent is ffffffff 00000001 00000000 00000000 00000000 ffffffff ffffffff fffffffd.
inline Field invert(const Field& a) {
  const auto a2 = square(a) * a;  // a^(2^2 - 1), and so on
  const auto a4 = square_times(a2, 2) * a2;
  const auto a6 = square_times(a4, 2) * a2;
  const auto a8 = square_times(a6, 2) * a2;
  const auto a14 = square_times(a8, 6) * a6;
  const auto a16 = square_times(a8, 8) * a8;
  const auto a30 = square_times(a16, 14) * a14;
  const auto a32 = square_times(a30, 2) * a2;
  auto out = square_times(a32, 32) * a;
  out = square_times(out, 128) * a32;
  out = square_times(out, 32) * a32;
  out = square_times(out, 30) * a30;
  return square_times(out, 2) * a;
}

inline Field select(Vector mask, const Field& a, const Field& b) {
  Field out;
  for (std::size_t i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_blendv_epi8(b.limb[i], a.limb[i], mask);
  return out;
}

// --- Points. Jacobian coordinates, x = X / Z^2 and y = Y / Z^3, for the many doublings and the additions of which it
// is known that they are neither of equal nor of opposite points; homogeneous ones, x = X / Z and y = Y / Z, for those
// of which it is not.

struct Jacobian {
  Field X, Y, Z;
};
struct Homogeneous {
  Field X, Y, Z;
};
/// A Jacobian point to be added.
struct Cached {
  Field X, Y, Z, ZZ, ZZZ;
};
struct Affine {
  Field x, y;
};

// What `look_up` wants to know of them.
template <class Use>
inline void for_each_coordinate(Cached& to, const Cached& from, const Use& use) {
  use(to.X, from.X), use(to.Y, from.Y), use(to.Z, from.Z), use(to.ZZ, from.ZZ), use(to.ZZZ, from.ZZZ);
}
template <class Use>
inline void for_each_coordinate(Affine& to, const Affine& from, const Use& use) {
  use(to.x, from.x), use(to.y, from.y);
}
inline Field& y_of(Cached& P) { return P.Y; }
inline Field& y_of(Affine& P) { return P.y; }

inline Cached cache(const Jacobian& P) {
  const auto ZZ = square(P.Z);
  return {P.X, P.Y, P.Z, ZZ, ZZ * P.Z};
}
inline Homogeneous homogeneous(const Jacobian& P) { return {P.X * P.Z, P.Y, square(P.Z) * P.Z}; }

/// Bernstein, Lange: Explicit-Formulas Database, dbl-2001-b (a = -3), 2^times times. No point of the curve is its own
/// opposite but infinity, which does not come here.
inline void double_times(Jacobian& P, int times) {
  for (int i = 0; i < times; ++i) {
    const auto delta = squared(P.Z);
    const auto gamma = square(P.Y);
    const auto beta = product(P.X, gamma);
    const auto alpha = reduce(thrice(product(reduce(raw(P.X) - delta), reduce(raw(P.X) + delta))));
    const auto beta4 = times_power<2>(beta);
    P.Z = reduce(squared(P.Y + P.Z) - raw(gamma) - delta);
    P.X = reduce(squared(alpha) - times_power<1>(beta4));
    P.Y = reduce(product(alpha, reduce(beta4 - raw(P.X))) - times_power<3>(squared(gamma)));
  }
}

/// P + Q where Q is neither P nor -P, and neither is infinity (the same source, add-1998-cmo-2).
inline void add_different(Jacobian& P, const Cached& Q) {
  const auto ZZ = square(P.Z);
  const auto U1 = P.X * Q.ZZ, S1 = P.Y * Q.ZZZ;
  const auto H = reduce(product(Q.X, ZZ) - raw(U1));
  const auto R = reduce(product(Q.Y, ZZ * P.Z) - raw(S1));
  const auto HH = square(H);
  const auto HHH = H * HH;
  const auto V = product(U1, HH);
  P.Z = P.Z * Q.Z * H;
  P.X = reduce(squared(R) - raw(HHH) - times_power<1>(V));
  P.Y = reduce(product(R, reduce(V - raw(P.X))) - product(S1, HHH));
}
inline void add_different(Jacobian& P, const Affine& Q) {
  const auto ZZ = square(P.Z);
  const auto H = reduce(product(Q.x, ZZ) - raw(P.X));
  const auto R = reduce(product(Q.y, ZZ * P.Z) - raw(P.Y));
  const auto HH = square(H);
  const auto HHH = product(H, HH);
  const auto V = product(P.X, HH);
  P.Z = P.Z * H;
  P.X = reduce(squared(R) - HHH - times_power<1>(V));
  P.Y = reduce(product(R, reduce(V - raw(P.X))) - product(P.Y, carry(HHH)));
}

/// Renes, Costello, Batina: Complete addition formulas for prime order elliptic curves (2016), Algorithm 4 (a = -3).
/// Complete: P and Q may be equal, opposite or infinity.
inline Homogeneous add(const Homogeneous& P, const Homogeneous& Q) {
  const auto b = constant(kB);
  const auto xx = P.X * Q.X, yy = P.Y * Q.Y, zz = P.Z * Q.Z;
  const auto xy = reduce(product(P.X + P.Y, Q.X + Q.Y) - raw(xx) - raw(yy));  // X1 Y2 + X2 Y1
  const auto yz = reduce(product(P.Y + P.Z, Q.Y + Q.Z) - raw(yy) - raw(zz));
  const auto xz = reduce(product(P.X + P.Z, Q.X + Q.Z) - raw(xx) - raw(zz));
  const auto m = reduce(thrice(raw(xz) - product(b, zz)));
  const auto n = reduce(thrice(product(b, xz) - thrice(raw(zz)) - raw(xx)));
  const auto k = reduce(thrice(raw(xx) - raw(zz)));
  const auto sum = yy + m, difference = yy - m;
  return {reduce(product(xy, sum) - product(yz, n)), reduce(product(sum, difference) + product(k, n)),
          reduce(product(yz, difference) + product(xy, k))};
}

// --- Scalars. The order is odd, so k or (order - k) is, and an odd k < 2^256 is the sum of d_j * 32^j, 0 <= j < 52,
// with odd d_j, from -31 to 31: d_j = 2 w_j - 31 for w_j = floor(k / 2^(5j + 1)) mod 32, and d_51 = 1. No digit is
// zero.

constexpr std::size_t kDigits = 52;
constexpr std::uint64_t kOrder[4] = {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000};

/// Which odd multiple is wanted (d = 2 * index + 1), and whether its opposite is (all ones).
struct Digits {
  std::uint8_t index[kDigits];
  std::int8_t negative[kDigits];
  std::int64_t negate_all;  // all ones: the digits are those of order - k
};

inline void load_words(const std::uint8_t* bytes, std::uint64_t (&words)[4]) {
  for (std::size_t i = 0; i < 4; ++i) {
    words[i] = 0;
    for (std::size_t b = 0; b < 8; ++b) words[i] = words[i] << 8 | bytes[8 * (3 - i) + b];
  }
}

/// a - b; the borrow that comes out.
inline std::uint64_t subtract(const std::uint64_t (&a)[4], const std::uint64_t (&b)[4], std::uint64_t (&out)[4]) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    __extension__ using Wide = unsigned __int128;
    const auto difference = static_cast<Wide>(a[i]) - b[i] - borrow;
    out[i] = static_cast<std::uint64_t>(difference);
    borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
  }
  return borrow;
}

inline void recode(const std::uint8_t* scalar, Digits& digits) {
  std::uint64_t k[4], opposite[4];
  load_words(scalar, k);
  static_cast<void>(subtract(kOrder, k, opposite));
  const auto is_even = (k[0] & 1) - 1;
  for (std::size_t i = 0; i < 4; ++i) k[i] ^= is_even & (k[i] ^ opposite[i]);
  digits.negate_all = static_cast<std::int64_t>(is_even);
  for (std::size_t j = 0; j < kDigits; ++j) {
    const auto bit = 5 * j + 1;
    std::uint64_t w = 16;
    if (j + 1 < kDigits) {
      w = k[bit / 64] >> (bit % 64);
      if (bit % 64 > 59 && bit / 64 < 3) w |= k[bit / 64 + 1] << (64 - bit % 64);
      w &= 31;
    }
    const auto below = (w >> 4) - 1;  // all ones for a digit below zero
    digits.index[j] = static_cast<std::uint8_t>((w ^ below) & 15);
    digits.negative[j] = static_cast<std::int8_t>(below);
  }
}

// --- Between lanes and memory.

/// x || y, or scalar || anything: the 32 bytes at `offset` of each lane, out of Montgomery form.
inline Field load(const std::uint8_t* const (&lanes)[kLanes], std::size_t offset) {
  alignas(32) std::uint64_t limbs[kLimbs][kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) {
    std::uint64_t words[4];
    load_words(lanes[i] + offset, words);
    limbs[0][i] = words[0] & kLow52;
    limbs[1][i] = (words[0] >> 52 | words[1] << 12) & kLow52;
    limbs[2][i] = (words[1] >> 40 | words[2] << 24) & kLow52;
    limbs[3][i] = (words[2] >> 28 | words[3] << 36) & kLow52;
    limbs[4][i] = words[3] >> 16;
  }
  Field out;
  for (std::size_t k = 0; k < kLimbs; ++k) out.limb[k] = _mm256_load_si256(reinterpret_cast<const Vector*>(limbs[k]));
  return out;
}
inline Field to_montgomery(const Field& a) { return a * constant(kRSquared); }
inline Affine load_point(const std::uint8_t* const (&points)[kLanes]) {
  return {to_montgomery(load(points, 0)), to_montgomery(load(points, 32))};
}

/// The values below p, in words of each lane.
inline void canonical(const Field& a, std::uint64_t (&words)[kLanes][4]) {
  constexpr std::uint64_t kP[4] = {0xffffffffffffffff, 0x00000000ffffffff, 0, 0xffffffff00000001};
  const auto plain = a * constant(kPlainOne);  // at most p: of a < R comes at most (a + (R - 1) * p) / R
  alignas(32) std::uint64_t limbs[kLimbs][kLanes];
  for (std::size_t k = 0; k < kLimbs; ++k) _mm256_store_si256(reinterpret_cast<Vector*>(limbs[k]), plain.limb[k]);
  for (std::size_t i = 0; i < kLanes; ++i) {
    const std::uint64_t value[4] = {limbs[0][i] | limbs[1][i] << 52, limbs[1][i] >> 12 | limbs[2][i] << 40,
                                    limbs[2][i] >> 24 | limbs[3][i] << 28, limbs[3][i] >> 36 | limbs[4][i] << 16};
    std::uint64_t less[4];
    const auto was_below = 0 - subtract(value, kP, less);
    for (std::size_t w = 0; w < 4; ++w) words[i][w] = less[w] ^ (was_below & (less[w] ^ value[w]));
  }
}

/// One lane of a homogeneous point.
struct OnePoint {
  std::uint64_t limb[3][kLimbs];
};
inline void store(const Homogeneous& P, OnePoint* const (&lanes)[kLanes]) {
  const Field* const coordinates[3] = {&P.X, &P.Y, &P.Z};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t k = 0; k < kLimbs; ++k) {
      alignas(32) std::uint64_t values[kLanes];
      _mm256_store_si256(reinterpret_cast<Vector*>(values), coordinates[c]->limb[k]);
      for (std::size_t i = 0; i < kLanes; ++i)
        if (lanes[i] != nullptr) lanes[i]->limb[c][k] = values[i];
    }
}
inline Homogeneous load(const OnePoint* const (&lanes)[kLanes]) {
  Homogeneous out;
  Field* const coordinates[3] = {&out.X, &out.Y, &out.Z};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t k = 0; k < kLimbs; ++k)
      coordinates[c]->limb[k] =
          _mm256_set_epi64x(static_cast<long long>(lanes[3]->limb[c][k]), static_cast<long long>(lanes[2]->limb[c][k]),
                            static_cast<long long>(lanes[1]->limb[c][k]), static_cast<long long>(lanes[0]->limb[c][k]));
  return out;
}

/// (2 * index + 1) * P, or its opposite, lane by lane: all sixteen are read.
template <class Entry>
inline Entry look_up(const Entry (&odd_multiples)[16], Vector index, Vector negative) {
  auto out = odd_multiples[0];
  for (std::size_t v = 1; v < 16; ++v) {
    const auto wanted = _mm256_cmpeq_epi64_mask(index, broadcast(v));
    for_each_coordinate(out, odd_multiples[v], [&](Field& to, const Field& from) {
      for (std::size_t k = 0; k < kLimbs; ++k) to.limb[k] = _mm256_mask_mov_epi64(to.limb[k], wanted, from.limb[k]);
    });
  }
  auto& y = y_of(out);
  y = select(negative, constant(kZero) - y, y);
  return out;
}

// --- Products.

/// Four scalars and four points, none of them infinity. Of the additions, those that make the odd multiples and all but
/// the last of the sum are of different points: 2i P with P; 32 v P with d P, for 0 < 32 v < order and 0 < |d| < 32,
/// where 32 v is below order - 31 as well, since the whole k' = 32^j (32 v + d) + ... is at most the order, j > 0. The
/// last is complete: k' = order - 34 makes it a doubling, and k' = order infinity.
inline Homogeneous multiply(const Digits (&digits)[kLanes], const Affine& P) {
  Cached multiples[16];
  auto multiple = Jacobian{P.x, P.y, constant(kOne)};
  multiples[0] = cache(multiple);
  auto doubled = multiple;
  double_times(doubled, 1);
  const auto step = cache(doubled);
  for (std::size_t v = 1; v < 16; ++v) {
    add_different(multiple, step);
    multiples[v] = cache(multiple);
  }

  const auto digit = [&](std::size_t j) {
    return look_up(
        multiples, _mm256_set_epi64x(digits[3].index[j], digits[2].index[j], digits[1].index[j], digits[0].index[j]),
        _mm256_set_epi64x(digits[3].negative[j], digits[2].negative[j], digits[1].negative[j], digits[0].negative[j]));
  };
  Jacobian sum = {P.x, P.y, constant(kOne)};  // d_51 = 1
  for (std::size_t j = kDigits - 1; j-- > 1;) {
    double_times(sum, 5);
    add_different(sum, digit(j));
  }
  double_times(sum, 5);
  const auto last = digit(0);
  auto out = add(homogeneous(sum), {last.X * last.Z, last.Y, last.ZZZ});
  const auto negative =
      _mm256_set_epi64x(digits[3].negate_all, digits[2].negate_all, digits[1].negate_all, digits[0].negate_all);
  out.Y = select(negative, constant(kZero) - out.Y, out.Y);
  return out;
}

/// Lane i from lane kFrom_i.
template <int kFrom0, int kFrom1, int kFrom2, int kFrom3>
inline Homogeneous permute(const Homogeneous& P) {
  constexpr int kOrderOfLanes = kFrom0 | kFrom1 << 2 | kFrom2 << 4 | kFrom3 << 6;
  Homogeneous out;
  for (std::size_t k = 0; k < kLimbs; ++k) {
    out.X.limb[k] = _mm256_permute4x64_epi64(P.X.limb[k], kOrderOfLanes);
    out.Y.limb[k] = _mm256_permute4x64_epi64(P.Y.limb[k], kOrderOfLanes);
    out.Z.limb[k] = _mm256_permute4x64_epi64(P.Z.limb[k], kOrderOfLanes);
  }
  return out;
}

inline Affine affine(const Jacobian& P) {
  const auto z = invert(P.Z);
  const auto zz = square(z);
  return {P.X * zz, P.Y * (zz * z)};
}

}  // namespace

namespace pake::crypto::lanes {

/// odd_multiples[m][v] holds, in lane i, (2v + 1) * 32^(13 i + m) * P: a quarter of the digits a lane.
struct P256Table {
  static constexpr std::size_t kRows = kDigits / kLanes;
  Affine odd_multiples[kRows][16];
};

}  // namespace pake::crypto::lanes

namespace {

using pake::crypto::lanes::P256Table;

/// The product in every lane. Of the additions within a lane none is of equal or opposite points: what has been added
/// before row m is less than 32^m in magnitude, times 32^(13 i), and the digit of row m no less; nor are they equal
/// modulo the order, which is odd. Those across lanes are complete.
inline Homogeneous multiply(const Digits& digits, const P256Table& table) {
  const auto entry = [&](std::size_t m) {
    const auto lanes = [&](const auto& of) { return _mm256_set_epi64x(of[39 + m], of[26 + m], of[13 + m], of[m]); };
    return look_up(table.odd_multiples[m], lanes(digits.index), lanes(digits.negative));
  };
  const auto first = entry(0);
  Jacobian sum = {first.x, first.y, constant(kOne)};
  for (std::size_t m = 1; m < P256Table::kRows; ++m) add_different(sum, entry(m));
  auto out = homogeneous(sum);
  out = add(out, permute<1, 0, 3, 2>(out));
  out = add(out, permute<2, 3, 0, 1>(out));
  out.Y = select(_mm256_set1_epi64x(digits.negate_all), constant(kZero) - out.Y, out.Y);
  return out;
}

P256Table* make_table(const std::uint8_t* point) {
  auto* const table = static_cast<P256Table*>(std::aligned_alloc(64, (sizeof(P256Table) + 63) / 64 * 64));
  if (table == nullptr) std::abort();
  // Lane i of `base` is to become 32^(13 i) * P.
  const std::uint8_t* const points[kLanes] = {point, point, point, point};
  const auto P = load_point(points);
  Jacobian base = {P.x, P.y, constant(kOne)};
  for (std::size_t i = 1; i < kLanes; ++i) {
    auto far = base;
    double_times(far, 65);
    const auto keep = [&](const Field& of, const Field& from) {
      const auto mask = _mm256_set_epi64x(i <= 3 ? -1 : 0, i <= 2 ? -1 : 0, i <= 1 ? -1 : 0, 0);
      return select(mask, from, of);
    };
    base = {keep(base.X, far.X), keep(base.Y, far.Y), keep(base.Z, far.Z)};
  }
  for (auto& row : table->odd_multiples) {
    auto doubled = base;
    double_times(doubled, 1);
    const auto step = cache(doubled);
    auto multiple = base;
    for (std::size_t v = 0; v < 16; ++v) {
      if (v > 0) add_different(multiple, step);
      row[v] = affine(multiple);
    }
    double_times(base, 5);
  }
  return table;
}
void free_table(P256Table* table) { std::free(table); }

void sums(const P256Term* terms, std::size_t term_count, std::uint8_t (*results)[64], std::uint64_t* finite,
          std::size_t sum_count) {
  if (sum_count > P256Lanes::kMaxSums || term_count > P256Lanes::kMaxTerms) std::abort();
  OnePoint products[P256Lanes::kMaxTerms];

  // Products of points without a table, four at a time.
  std::size_t waiting[kLanes], waiting_count = 0;
  const auto multiply_waiting = [&] {
    Digits digits[kLanes];
    const std::uint8_t* points[kLanes];
    OnePoint* to[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) {
      const auto& term = terms[waiting[i < waiting_count ? i : 0]];
      recode(term.scalar, digits[i]);
      points[i] = term.point;
      to[i] = i < waiting_count ? &products[waiting[i]] : nullptr;
    }
    store(multiply(digits, load_point(points)), to);
    waiting_count = 0;
  };
  for (std::size_t t = 0; t < term_count; ++t) {
    const auto& term = terms[t];
    OnePoint* const to[kLanes] = {&products[t], nullptr, nullptr, nullptr};
    if (term.scalar == nullptr) {
      const std::uint8_t* const points[kLanes] = {term.point, term.point, term.point, term.point};
      const auto P = load_point(points);
      store({P.x, P.y, constant(kOne)}, to);
    } else if (term.table != nullptr) {
      Digits digits;
      recode(term.scalar, digits);
      store(multiply(digits, *term.table), to);
    } else {
      waiting[waiting_count++] = t;
      if (waiting_count == kLanes) multiply_waiting();
    }
  }
  if (waiting_count > 0) multiply_waiting();

  // Lane i adds up sum i.
  OnePoint infinity;
  const Homogeneous none = {constant(kZero), constant(kOne), constant(kZero)};
  OnePoint* const to[kLanes] = {&infinity, nullptr, nullptr, nullptr};
  store(none, to);
  auto sum = none;
  bool taken[P256Lanes::kMaxTerms] = {};
  for (bool first = true;; first = false) {
    const OnePoint* lanes[kLanes];
    bool any = false;
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes[i] = &infinity;
      for (std::size_t t = 0; t < term_count && lanes[i] == &infinity; ++t) {
        if (taken[t] || terms[t].sum != i) continue;
        taken[t] = any = true;
        lanes[i] = &products[t];
      }
    }
    if (!any) break;
    sum = first ? load(lanes) : add(sum, load(lanes));
  }

  const auto z = invert(sum.Z);
  std::uint64_t x[kLanes][4], y[kLanes][4], zs[kLanes][4];
  canonical(sum.X * z, x);
  canonical(sum.Y * z, y);
  canonical(sum.Z, zs);
  for (std::size_t i = 0; i < sum_count; ++i) {
    const auto any = zs[i][0] | zs[i][1] | zs[i][2] | zs[i][3];
    finite[i] = 0 - ((any | (0 - any)) >> 63);
    for (std::size_t b = 0; b < 32; ++b) {
      results[i][b] = static_cast<std::uint8_t>(x[i][3 - b / 8] >> (56 - 8 * (b % 8)));
      results[i][32 + b] = static_cast<std::uint8_t>(y[i][3 - b / 8] >> (56 - 8 * (b % 8)));
    }
  }
}

}  // namespace

namespace pake::crypto::lanes {

extern const P256Lanes kP256_avx512_ifma;
const P256Lanes kP256_avx512_ifma = {make_table, free_table, sums};

}  // namespace pake::crypto::lanes
