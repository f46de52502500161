// Private to the room: the curves y^2 = x^3 - 3x + B of FIPS 186-4, their maps (RFC 9380), their complete addition, and
// scalar multiplication by it, in constant time. P-256 and P-521 are multiplied by OpenSSL (openssl_curve.h), which is
// faster and constant-time on these two.
#pragma once

#include "field.h"
#include "moduli.h"
#include "pake/crypto/group.h"
#include "pake/crypto/xmd.h"
#include "window.h"

namespace pake::crypto {

/// The constants of one curve; kMinusZ and kL are RFC 9380's, Section 8.2 to 8.4.
struct P256 {
  static constexpr auto kId = GroupId::p256;
  static constexpr auto kHash = HashId::sha256;
  static constexpr bool kMultiplyByOpenSSL = true;
  using Prime = P256Prime;
  using Order = P256Order;
  static constexpr auto kB = limbs_from_hex<4>("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
  static constexpr auto kGx = limbs_from_hex<4>("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
  static constexpr auto kGy = limbs_from_hex<4>("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  static constexpr std::uint64_t kMinusZ = 10;
  static constexpr std::size_t kL = 48;
};
struct P384 {
  static constexpr auto kId = GroupId::p384;
  static constexpr auto kHash = HashId::sha384;
  static constexpr bool kMultiplyByOpenSSL = false;
  using Prime = P384Prime;
  using Order = P384Order;
  static constexpr auto kB = limbs_from_hex<6>(
      "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef");
  static constexpr auto kGx = limbs_from_hex<6>(
      "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7");
  static constexpr auto kGy = limbs_from_hex<6>(
      "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f");
  static constexpr std::uint64_t kMinusZ = 12;
  static constexpr std::size_t kL = 72;
};
struct P521 {
  static constexpr auto kId = GroupId::p521;
  static constexpr auto kHash = HashId::sha512;
  static constexpr bool kMultiplyByOpenSSL = true;
  using Prime = P521Prime;
  using Order = P521Order;
  static constexpr auto kB = limbs_from_hex<9>(
      "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e1"
      "56193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00");
  static constexpr auto kGx = limbs_from_hex<9>(
      "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dba"
      "a14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66");
  static constexpr auto kGy = limbs_from_hex<9>(
      "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c"
      "97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650");
  static constexpr std::uint64_t kMinusZ = 4;
  static constexpr std::size_t kL = 98;
};

template <class Curve>
using Coordinate = Fe<typename Curve::Prime>;

template <class Curve>
inline constexpr auto kCurveB = Coordinate<Curve>::from_limbs(Curve::kB);

/// Homogeneous coordinates: x = X / Z, y = Y / Z; infinity has Z = 0.
template <class Curve>
struct Point {
  Coordinate<Curve> X, Y, Z;

  [[nodiscard]] static Point identity() { return {.X = {}, .Y = Coordinate<Curve>(1), .Z = {}}; }
};
/// Never infinity.
template <class Curve>
struct AffinePoint {
  Coordinate<Curve> x, y;
};

/// x and y, by one inversion; (0, 0) for infinity.
template <class Curve>
[[nodiscard]] AffinePoint<Curve> to_affine(const Point<Curve>& P) {
  const auto z_inverse = P.Z.invert();
  return {.x = P.X * z_inverse, .y = P.Y * z_inverse};
}

/// a^((p - 3) / 4), where p = 3 (mod 4): a times it is a root of a, if a is a square.
template <class F>
[[nodiscard]] F power_p_minus_3_over_4(const F& a) {
  static_assert(F::kModulus[0] % 4 == 3);
  return a.pow_public(shift_right(F::kModulus, 2));
}

/// x^3 - 3x + B.
template <class Curve>
[[nodiscard]] Coordinate<Curve> curve_equation(const Coordinate<Curve>& x) {
  using F = Coordinate<Curve>;
  return (x.square() - F(3)) * x + kCurveB<Curve>;
}

/// Renes, Costello, Batina: Complete addition formulas for prime order elliptic curves (2016), Algorithm 4 (a = -3).
/// Complete: P and Q may be equal, opposite or infinity.
template <class Curve>
[[nodiscard]] Point<Curve> add(const Point<Curve>& P, const Point<Curve>& Q) {
  const auto& b = kCurveB<Curve>;
  const auto thrice = [](const Coordinate<Curve>& v) { return v + v + v; };
  const auto xx = P.X * Q.X, yy = P.Y * Q.Y, zz = P.Z * Q.Z;
  const auto xy = (P.X + P.Y) * (Q.X + Q.Y) - (xx + yy);  // X1 Y2 + X2 Y1
  const auto yz = (P.Y + P.Z) * (Q.Y + Q.Z) - (yy + zz);
  const auto xz = (P.X + P.Z) * (Q.X + Q.Z) - (xx + zz);
  const auto m = thrice(xz - b * zz);
  const auto n = thrice(b * xz - thrice(zz) - xx);
  const auto k = thrice(xx - zz);
  return {.X = xy * (yy + m) - yz * n, .Y = (yy + m) * (yy - m) + k * n, .Z = yz * (yy - m) + xy * k};
}

/// The same paper, Algorithm 6: P + P for every P.
template <class Curve>
[[nodiscard]] Point<Curve> twice(const Point<Curve>& P) {
  const auto& b = kCurveB<Curve>;
  const auto doubled = [](const Coordinate<Curve>& v) { return v + v; };
  const auto thrice = [](const Coordinate<Curve>& v) { return v + v + v; };
  const auto xx = P.X.square(), yy = P.Y.square(), zz = P.Z.square();
  const auto xy = doubled(P.X * P.Y), yz = doubled(P.Y * P.Z), xz = doubled(P.X * P.Z);
  const auto m = thrice(b * zz - xz);
  const auto n = thrice(b * xz - thrice(zz) - xx);
  const auto k = thrice(xx - zz);
  return {.X = xy * (yy - m) - yz * n, .Y = (yy + m) * (yy - m) + k * n, .Z = doubled(doubled(yz * yy))};
}

/// P if `mask` is set, else Q.
template <class Curve>
[[nodiscard]] Point<Curve> select(Mask mask, const Point<Curve>& P, const Point<Curve>& Q) {
  using F = Coordinate<Curve>;
  return {.X = F::select(mask, P.X, Q.X), .Y = F::select(mask, P.Y, Q.Y), .Z = F::select(mask, P.Z, Q.Z)};
}
template <class Curve>
[[nodiscard]] Point<Curve> negate_if(Mask mask, const Point<Curve>& P) {
  return {.X = P.X, .Y = P.Y.negate_if(mask), .Z = P.Z};
}

template <class Curve>
using CurveTerm = WindowedTerm<Point<Curve>, Fe<typename Curve::Order>::kSize>;

/// scalar * P for any scalar of kSize bytes, big-endian, and any P.
template <class Curve>
[[nodiscard]] Point<Curve> multiply(std::span<const std::uint8_t, Fe<typename Curve::Order>::kSize> scalar,
                                    const Point<Curve>& P) {
  const CurveTerm<Curve> term(scalar, std::endian::big, P);
  return sum_of(std::span<const CurveTerm<Curve>>(&term, 1));
}

/// RFC 9380, Appendix F.2.1.2, sqrt_ratio for p = 3 (mod 4): the mask says whether u / v is a square; `root` becomes
/// sqrt(u / v), or else sqrt(Z * u / v).
template <class Curve>
[[nodiscard]] Mask sqrt_ratio(const Coordinate<Curve>& u, const Coordinate<Curve>& v, Coordinate<Curve>& root) {
  using F = Coordinate<Curve>;
  static const F root_of_minus_z = F(Curve::kMinusZ) * power_p_minus_3_over_4(F(Curve::kMinusZ));
  const auto uv = u * v;
  const auto y1 = power_p_minus_3_over_4(v.square() * uv) * uv;
  const auto is_square = equal(y1.square() * v, u);
  root = F::select(is_square, y1, y1 * root_of_minus_z);
  return is_square;
}

/// RFC 9380, Section 6.6.2, simplified SWU, in the straight line of Appendix F.2: the final x / tv4 is left to the
/// homogeneous coordinates.
template <class Curve>
[[nodiscard]] Point<Curve> map_to_curve_sswu(const Coordinate<Curve>& u) {
  using F = Coordinate<Curve>;
  const F one(1), Z = -F(Curve::kMinusZ), A = -F(3);
  const auto& B = kCurveB<Curve>;

  const auto tv1 = Z * u.square();
  const auto tv2 = tv1.square() + tv1;
  const auto tv3 = B * (tv2 + one);
  const auto tv4 = A * F::select(tv2.is_zero(), Z, -tv2);
  // gx1 = (tv3^3 + A * tv3 * tv4^2 + B * tv4^3) / tv4^3
  const auto tv4_squared = tv4.square();
  const auto tv4_cubed = tv4_squared * tv4;
  const auto gx1 = (tv3.square() + A * tv4_squared) * tv3 + B * tv4_cubed;
  F y1;
  const auto is_gx1_square = sqrt_ratio<Curve>(gx1, tv4_cubed, y1);
  const auto x = F::select(is_gx1_square, tv3, tv1 * tv3);
  const auto y = F::select(is_gx1_square, y1, tv1 * u * y1);
  const auto signed_y = y.negate_if(u.is_odd() ^ y.is_odd());
  return {.X = x, .Y = signed_y * tv4, .Z = tv4};
}

/// RFC 9380, Section 5.2, hash_to_field for the coordinates of one element: kCount of them out of one expansion.
template <class Curve, std::size_t kCount>
[[nodiscard]] std::array<Coordinate<Curve>, kCount> hash_to_field(std::initializer_list<Bytes> msg_parts,
                                                                  std::initializer_list<Bytes> dst_parts) {
  const auto uniform = Secret<kCount * Curve::kL>::make(
      [&](MutableBytes out) { expand_message_xmd(Curve::kHash, msg_parts, dst_parts, out); });
  std::array<Coordinate<Curve>, kCount> u;
  for (std::size_t i = 0; i < kCount; ++i)
    u[i] = Coordinate<Curve>::reduce(uniform.reveal().subspan(i * Curve::kL, Curve::kL), std::endian::big);
  return u;
}

}  // namespace pake::crypto
