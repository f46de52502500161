#include "pake/crypto/x25519.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "moduli.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::hex;
using testing::unhex;
using Fixed = std::span<const std::uint8_t, kX25519Size>;

std::string multiplied(const std::string& k, const std::string& u) {
  const auto product = x25519(X25519Scalar::copy_of(Fixed(unhex(k))), Fixed(unhex(u)));
  return product ? hex(product->reveal()) : "refused";
}

// RFC 7748, Section 5.2: the two single figures (the second u has bit 255 set) and the iterated one.
TEST(X25519, Rfc7748) {
  EXPECT_EQ(multiplied("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                       "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(multiplied("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                       "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
  std::string k = "09" + std::string(62, '0'), u = k;
  for (int round = 1; round <= 1000; ++round) {
    auto next = multiplied(k, u);
    u = std::exchange(k, next);
    if (round == 1) {
      EXPECT_EQ(k, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
      EXPECT_EQ(hex(x25519_base(X25519Scalar::copy_of(Fixed(unhex(u)))).reveal()), k);
    }
  }
  EXPECT_EQ(k, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

/// RFC 7748, Section 5, the ladder as the page has it, over our own field.
std::string ladder(const Buffer& scalar, Buffer u) {
  using F = Fe<Curve25519Prime>;
  const auto k = x25519_clamp(Fixed(scalar));
  u[31] &= 127;
  const F one(1), a24(121665), x1 = F::reduce(u, std::endian::little);
  F x2 = one, z2, x3 = x1, z3 = one;
  for (std::size_t t = 255; t-- > 0;) {
    const bool bit = (k.reveal()[t / 8] >> (t % 8) & 1U) != 0;
    if (bit) std::swap(x2, x3), std::swap(z2, z3);
    const auto a = x2 + z2, aa = a.square(), b = x2 - z2, bb = b.square(), e = aa - bb;
    const auto da = (x3 - z3) * a, cb = (x3 + z3) * b;
    x3 = (da + cb).square();
    z3 = x1 * (da - cb).square();
    x2 = aa * bb;
    z2 = e * (aa + a24 * e);
    if (bit) std::swap(x2, x3), std::swap(z2, z3);
  }
  Buffer out(kX25519Size);
  (x2 * z2.invert()).encode(std::span<std::uint8_t, kX25519Size>(out), std::endian::little);
  return hex(out);
}

TEST(X25519, AgreesWithTheLadderOverOurField) {
  testing::SeededRng rng(25519);
  for (int run = 0; run < 100; ++run) {
    Buffer k(kX25519Size), u(kX25519Size);
    rng.fill(k);
    rng.fill(u);
    EXPECT_EQ(multiplied(hex(k), hex(u)), ladder(k, u)) << run;
  }
}

TEST(X25519, ClampingBeforehandChangesNothing) {
  const auto bytes = unhex(std::string(64, 'f'));
  const auto clamped = x25519_clamp(Fixed(bytes));
  EXPECT_EQ(hex(clamped.reveal()), "f8" + std::string(60, 'f') + "7f");
  EXPECT_EQ(hex(x25519_base(clamped).reveal()), hex(x25519_base(X25519Scalar::copy_of(Fixed(bytes))).reveal()));
  EXPECT_EQ(hex(x25519_clamp(Fixed(unhex(std::string(64, '0')))).reveal()), std::string(62, '0') + "40");
}

// Every point whose order divides 8, on the curve and on its twist, canonical or not (0, 1, -1, p, p + 1 and the two of
// order 8), with bit 255 clear and set.
TEST(X25519, RefusesEveryPointOfLowOrder) {
  const char* low[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                       "0100000000000000000000000000000000000000000000000000000000000000",
                       "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                       "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                       "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                       "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                       "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
  for (const auto* text : low)
    for (const std::uint8_t top : Buffer{0x00, 0x80}) {
      auto u = unhex(text);
      u[31] |= top;
      EXPECT_EQ(multiplied(std::string(64, '5'), hex(u)), "refused") << hex(u);
    }
}

TEST(X25519, TakesNonCanonicalPointsModuloP) {
  const auto two = multiplied(std::string(64, '5'), "02" + std::string(62, '0'));
  EXPECT_NE(two, "refused");
  EXPECT_EQ(multiplied(std::string(64, '5'), "ef" + std::string(60, 'f') + "7f"), two);  // p + 2
  EXPECT_EQ(multiplied(std::string(64, '5'), "ef" + std::string(62, 'f')), two);         // and bit 255
}

std::string mapped(const std::string& big_endian) {
  auto bytes = unhex(big_endian);
  std::ranges::reverse(bytes);
  auto u = to_buffer(curve25519_elligator2(Fixed(bytes)).reveal());
  std::ranges::reverse(u);
  return hex(u);
}

// RFC 9380, Appendix J.4.2: u and Q.x of "", the rest in tests/vectors. The map is the same for r and -r and for r + p,
// and zero, whose v is -A, maps to 0.
TEST(Elligator2, Rfc9380AndItsSymmetries) {
  const std::string q_x = "51125222da5e763d97f3c10fcc92ea6860b9ccbbd2eb1285728f566721c1e65b";
  EXPECT_EQ(mapped("608d892b641f0328523802a6603427c26e55e6f27e71a91a478148d45b5093cd"), q_x);
  EXPECT_EQ(mapped("e08d892b641f0328523802a6603427c26e55e6f27e71a91a478148d45b5093cd"), q_x);  // bit 255
  EXPECT_EQ(mapped("1f7276d49be0fcd7adc7fd599fcbd83d91aa190d818e56e5b87eb72ba4af6c20"), q_x);  // -u
  EXPECT_EQ(mapped(std::string(62, '0') + "02"), mapped("7" + std::string(61, 'f') + "ef"));   // 2, p + 2
  EXPECT_EQ(mapped(std::string(64, '0')), std::string(64, '0'));
}

}  // namespace
}  // namespace pake::crypto
