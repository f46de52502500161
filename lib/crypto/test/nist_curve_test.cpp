// Our curve arithmetic against OpenSSL's. The maps' own figures (RFC 9380, Appendix J) are in tests/vectors.
#include "nist_curve.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "pake/crypto/rng.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

template <class Curve>
class NistCurve : public ::testing::Test {
 protected:
  using Number = Coordinate<Curve>;

  NistCurve()
      : curve_(EC_GROUP_new_by_curve_name(Curve::kId == GroupId::p256   ? NID_X9_62_prime256v1
                                          : Curve::kId == GroupId::p384 ? NID_secp384r1
                                                                        : NID_secp521r1)) {}
  ~NistCurve() override { EC_GROUP_free(curve_); }

  /// Homogeneous coordinates of k * G, scaled by a random Z.
  Point<Curve> random_multiple() {
    SystemRng rng;
    const auto& group = Group::get(Curve::kId);
    const auto element = group.multiply_generator(group.random_scalar(rng).value()).value();
    return point(nist_encode_uncompressed(Curve::kId, element).reveal().subspan(1));
  }
  Point<Curve> point(Bytes xy) {
    Number x, y;
    EXPECT_NE(Number::decode(xy.first<Number::kSize>(), std::endian::big, x), Mask{0});
    EXPECT_NE(Number::decode(xy.last<Number::kSize>(), std::endian::big, y), Mask{0});
    const auto z = scale();
    return {.X = x * z, .Y = y * z, .Z = z};
  }
  Number scale() {
    Buffer bytes(Number::kSize);
    SystemRng().fill(bytes);
    return Number::reduce(bytes, std::endian::big);
  }
  std::string sum_by_openssl(const Point<Curve>& P, const Point<Curve>& Q) {
    auto* a = load(P);
    auto* b = load(Q);
    EC_POINT_add(curve_, a, a, b, nullptr);
    Buffer bytes(1 + 2 * Number::kSize);
    const auto size = EC_POINT_point2oct(curve_, a, POINT_CONVERSION_UNCOMPRESSED, bytes.data(), bytes.size(), nullptr);
    EC_POINT_free(a);
    EC_POINT_free(b);
    return size == 1 ? "infinity" : testing::hex(Bytes(bytes).subspan(1));
  }
  EC_POINT* load(const Point<Curve>& P) {
    auto* out = EC_POINT_new(curve_);
    if (P.Z.is_zero() != 0) {
      EC_POINT_set_to_infinity(curve_, out);
    } else {
      auto bytes = testing::unhex("04" + text(P));
      EXPECT_EQ(EC_POINT_oct2point(curve_, out, bytes.data(), bytes.size(), nullptr), 1);
    }
    return out;
  }
  static std::string text(const Point<Curve>& P) {
    if (P.Z.is_zero() != 0) return "infinity";
    const auto affine = to_affine(P);
    Buffer xy(2 * Number::kSize);
    affine.x.encode(MutableBytes(xy).first<Number::kSize>(), std::endian::big);
    affine.y.encode(MutableBytes(xy).last<Number::kSize>(), std::endian::big);
    return testing::hex(xy);
  }

  static Point<Curve> product(const Buffer& k, const Point<Curve>& P) {
    return multiply(Bytes(k).first<Fe<typename Curve::Order>::kSize>(), P);
  }
  std::string product_by_openssl(const Buffer& k, const Point<Curve>& P) {
    auto* point = load(P);
    auto* scalar = BN_bin2bn(k.data(), static_cast<int>(k.size()), nullptr);
    EC_POINT_mul(curve_, point, nullptr, point, scalar, nullptr);
    Buffer bytes(1 + 2 * Number::kSize);
    const auto size =
        EC_POINT_point2oct(curve_, point, POINT_CONVERSION_UNCOMPRESSED, bytes.data(), bytes.size(), nullptr);
    EC_POINT_free(point);
    BN_free(scalar);
    return size == 1 ? "infinity" : testing::hex(Bytes(bytes).subspan(1));
  }
  /// The group's order less `below`, as a scalar.
  Buffer order_minus(unsigned below) {
    auto* order = BN_dup(EC_GROUP_get0_order(curve_));
    BN_sub_word(order, below);
    Buffer bytes(Fe<typename Curve::Order>::kSize);
    BN_bn2binpad(order, bytes.data(), static_cast<int>(bytes.size()));
    BN_free(order);
    return bytes;
  }

  EC_GROUP* curve_;
};

using Curves = ::testing::Types<P256, P384, P521>;
TYPED_TEST_SUITE(NistCurve, Curves);

TYPED_TEST(NistCurve, AdditionIsComplete) {
  using F = typename TestFixture::Number;
  std::vector<Point<TypeParam>> points = {{.X = F(), .Y = F(1), .Z = F()}, {.X = F(), .Y = this->scale(), .Z = F()}};
  for (int i = 0; i < 6; ++i) {
    points.push_back(this->random_multiple());
    auto opposite = points.back();
    opposite.Y = -opposite.Y;
    points.push_back(opposite);
    const auto z = this->scale();  // the same point in other coordinates
    points.push_back({.X = opposite.X * z, .Y = opposite.Y * z, .Z = opposite.Z * z});
  }
  for (const auto& P : points)
    for (const auto& Q : points) EXPECT_EQ(this->text(add(P, Q)), this->sum_by_openssl(P, Q));
}

TYPED_TEST(NistCurve, TheMapReachesTheCurveFromEveryU) {
  using F = typename TestFixture::Number;
  // 0, and the roots of Z^2 u^4 + Z u^2 (u^2 = -1/Z, where one exists), are the exceptional ones of Section 6.6.2.
  const auto minus_z = F(TypeParam::kMinusZ);
  const auto exceptional = power_p_minus_3_over_4(minus_z.invert()) * minus_z.invert();
  EXPECT_NE(equal(exceptional.square() * minus_z, F(1)), Mask{0});  // -Z is a square on all three
  std::vector<F> inputs = {F(), F(1), -F(1), exceptional, -exceptional};
  for (int i = 0; i < 50; ++i) inputs.push_back(this->scale());
  for (const auto& u : inputs) {
    const auto P = map_to_curve_sswu<TypeParam>(u);
    ASSERT_EQ(P.Z.is_zero(), Mask{0});
    const auto [x, y] = to_affine(P);
    EXPECT_NE(equal(y.square(), curve_equation<TypeParam>(x)), Mask{0});
    EXPECT_EQ(y.is_odd(), u.is_odd());
    const auto negated = to_affine(map_to_curve_sswu<TypeParam>(-u));
    EXPECT_NE(equal(negated.x, x), Mask{0});
  }
}

TYPED_TEST(NistCurve, SqrtRatioFindsTheRootOfTheRatioOrOfZTimesIt) {
  using F = typename TestFixture::Number;
  int squares = 0;
  for (int run = 0; run < 40; ++run) {
    const auto u = this->scale(), v = this->scale();
    F root;
    const auto is_square = sqrt_ratio<TypeParam>(u, v, root);
    squares += is_square != 0 ? 1 : 0;
    EXPECT_NE(equal(root.square() * v, is_square != 0 ? u : -F(TypeParam::kMinusZ) * u), Mask{0});
  }
  EXPECT_GT(squares, 0);
  EXPECT_LT(squares, 40);
}

// Every digit -15 to 16 of the recoding, carries through all of them, and the ends of the range; then random scalars,
// and points that are random multiples. PAKE_CURVE_CASES asks for more than is run each day.
TYPED_TEST(NistCurve, MultipliesLikeOpenSSL) {
  using F = typename TestFixture::Number;
  constexpr auto kSize = Fe<typename TypeParam::Order>::kSize;
  std::vector<Buffer> scalars;
  for (unsigned small = 0; small <= 70; ++small) {
    scalars.push_back(this->order_minus(small));
    Buffer bytes(kSize);
    bytes.back() = static_cast<std::uint8_t>(small);
    scalars.push_back(bytes);
  }
  for (std::size_t bit = 0; bit < 8 * kSize; bit += 5) {  // 32^i, and 16 * 32^i less or more one
    Buffer power(kSize), sixteen(kSize);
    power[kSize - 1 - bit / 8] = static_cast<std::uint8_t>(1U << bit % 8);
    scalars.push_back(power);
    if (bit + 4 >= 8 * kSize) continue;
    sixteen[kSize - 1 - (bit + 4) / 8] = static_cast<std::uint8_t>(1U << (bit + 4) % 8);
    scalars.push_back(sixteen);
    ++sixteen.back();
    scalars.push_back(sixteen);
    std::ranges::fill(MutableBytes(sixteen).subspan(kSize - (bit + 4) / 8), std::uint8_t{0xff});
    scalars.push_back(sixteen);
  }
  for (const unsigned pattern : {0x55U, 0xaaU, 0xffU, 0x84U, 0x10U, 0x42U, 0x08U, 0x21U})
    scalars.emplace_back(kSize, static_cast<std::uint8_t>(pattern));
  const Point<TypeParam> infinity = {.X = F(), .Y = F(1), .Z = F()};
  const auto G = this->random_multiple();
  for (const auto& k : scalars) {
    ASSERT_EQ(this->text(this->product(k, G)), this->product_by_openssl(k, G)) << testing::hex(k);
    ASSERT_EQ(this->text(this->product(k, infinity)), "infinity");
  }

  const auto* const wanted = std::getenv("PAKE_CURVE_CASES");  // NOLINT(concurrency-mt-unsafe)
  const auto cases = wanted != nullptr ? std::stoul(wanted) : TypeParam::kMultiplyByOpenSSL ? 50UL : 2000UL;
  std::random_device seed;
  const auto value = (std::uint64_t{seed()} << 32U) | seed();
  SCOPED_TRACE("seed " + std::to_string(value));
  testing::SeededRng rng(value);
  auto P = this->random_multiple();
  for (std::size_t run = 0; run < cases; ++run) {
    Buffer k(kSize);
    rng.fill(k);
    const auto ours = this->product(k, P);
    ASSERT_EQ(this->text(ours), this->product_by_openssl(k, P)) << testing::hex(k) << " times " << this->text(P);
    P = ours.Z.is_zero() != 0 ? this->random_multiple() : ours;
  }
}

}  // namespace
}  // namespace pake::crypto
