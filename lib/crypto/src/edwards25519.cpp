// The subgroup of prime order of edwards25519 (RFC 8032, Section 5.1), by our own field, in constant time.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "clean_stack.h"
#include "groups.h"
#include "moduli.h"
#include "window.h"

namespace pake::crypto {
namespace {

using Number = Fe<Curve25519Prime>;
constexpr std::size_t kSize = Number::kSize;

constexpr auto kD =
    Number::from_limbs(limbs_from_hex<4>("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3"));
constexpr auto kTwoD = kD + kD;
/// sqrt(-1) = 2^((p - 1) / 4).
constexpr auto kRootOfMinusOne =
    Number::from_limbs(limbs_from_hex<4>("2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0"));
constexpr auto kBaseX =
    Number::from_limbs(limbs_from_hex<4>("216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a"));
constexpr auto kBaseY =
    Number::from_limbs(limbs_from_hex<4>("6666666666666666666666666666666666666666666666666666666666666658"));

/// Extended coordinates on -x^2 + y^2 = 1 + d x^2 y^2: x = X / Z, y = Y / Z, xy = T / Z.
struct ExtendedPoint {
  Number X, Y, Z, T;

  [[nodiscard]] static ExtendedPoint identity() { return {.X = {}, .Y = Number(1), .Z = Number(1), .T = {}}; }
  [[nodiscard]] static ExtendedPoint base() { return {.X = kBaseX, .Y = kBaseY, .Z = Number(1), .T = kBaseX * kBaseY}; }
};

/// Hisil, Wong, Carter, Dawson: Twisted Edwards curves revisited (2008), Section 3.1 with k = 2d. Complete, since d is
/// no square.
ExtendedPoint add(const ExtendedPoint& P, const ExtendedPoint& Q) {
  const auto A = (P.Y - P.X) * (Q.Y - Q.X);
  const auto B = (P.Y + P.X) * (Q.Y + Q.X);
  const auto C = P.T * kTwoD * Q.T;
  const auto D = (P.Z + P.Z) * Q.Z;
  const auto E = B - A, F = D - C, G = D + C, H = B + A;
  return {.X = E * F, .Y = G * H, .Z = F * G, .T = E * H};
}

/// The same paper, Section 3.3, with a = -1.
ExtendedPoint twice(const ExtendedPoint& P) {
  const auto A = P.X.square(), B = P.Y.square(), ZZ = P.Z.square();
  const auto G = B - A, H = -(A + B);
  const auto E = (P.X + P.Y).square() + H;
  const auto F = G - (ZZ + ZZ);
  return {.X = E * F, .Y = G * H, .Z = F * G, .T = E * H};
}

ExtendedPoint select(Mask mask, const ExtendedPoint& P, const ExtendedPoint& Q) {
  return {.X = Number::select(mask, P.X, Q.X),
          .Y = Number::select(mask, P.Y, Q.Y),
          .Z = Number::select(mask, P.Z, Q.Z),
          .T = Number::select(mask, P.T, Q.T)};
}
ExtendedPoint negate_if(Mask mask, const ExtendedPoint& P) {
  return {.X = P.X.negate_if(mask), .Y = P.Y, .Z = P.Z, .T = P.T.negate_if(mask)};
}
Mask is_identity(const ExtendedPoint& P) { return P.X.is_zero() & equal(P.Y, P.Z); }

using EdwardsTerm = WindowedTerm<ExtendedPoint, 32>;

/// The group's order, which is no reduced scalar.
constexpr std::array<std::uint8_t, 32> kOrderBytes = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

Element element_of(const ExtendedPoint& P) { return ElementAccess::make(GroupId::edwards25519, P); }
const ExtendedPoint& point_of(const Element& element) {
  return ElementAccess::get<ExtendedPoint>(GroupId::edwards25519, element);
}

class Edwards25519 final : public GroupWithScalars<Ristretto255Order, std::endian::little, 64> {
 public:
  using GroupWithScalars::decode;
  using GroupWithScalars::multiply;
  using GroupWithScalars::sum;

  Edwards25519() : GroupWithScalars(GroupId::edwards25519, HashId::sha512, kSize) {}

  [[nodiscard]] Status decode(std::span<Decoding> batch) const override {
    return on_clean_stack<16384>([&] {
      bool valid = true;
      for (auto& member : batch) valid &= decode_one(member);
      return valid ? Status() : Status(fail(Errc::malformed));
    });
  }

  // RFC 8032, Section 5.1.2: y little-endian, the sign of x in bit 255.
  [[nodiscard]] SecretUpTo<kMaxElementSize> encode(const Element& element) const override {
    return on_clean_stack([&] {
      const auto& P = point_of(element);
      const auto z_inverse = P.Z.invert();
      const auto x = P.X * z_inverse, y = P.Y * z_inverse;
      return SecretUpTo<kMaxElementSize>::make(kSize, [&](MutableBytes out) {
        y.encode(out.first<kSize>(), std::endian::little);
        out[kSize - 1] = static_cast<std::uint8_t>(out[kSize - 1] | ((x.is_odd() & 1U) << 7U));
      });
    });
  }

  [[nodiscard]] Result<Element> hash_to_group(std::initializer_list<Bytes> /*message_parts*/,
                                              std::initializer_list<Bytes> /*dst_parts*/) const override {
    return fail(Errc::misuse);
  }

  [[nodiscard]] Status multiply(std::span<Multiplication> batch) const override {
    return on_clean_stack<16384>([&] {
      bool identity = false;
      for (auto& product : batch) {
        const Term term{.scalar = product.scalar, .element = product.element};
        const auto P = sum_of_terms({&term, 1});
        product.result = element_of(P);
        identity |= declassify_value(is_identity(P)) != 0;
      }
      return identity ? Status(fail(Errc::malformed)) : Status();
    });
  }

  [[nodiscard]] Element negate(const Element& element) const override {
    return element_of(negate_if(~Mask{0}, point_of(element)));
  }

  [[nodiscard]] Result<Element> sum(std::span<const Term> terms) const override {
    if (terms.empty() || terms.size() > kMaxTerms) std::abort();
    return on_clean_stack<32768>([&]() -> Result<Element> {
      const auto P = sum_of_terms(terms);
      if (declassify_value(is_identity(P)) != 0) return fail(Errc::malformed);
      return element_of(P);
    });
  }

 private:
  [[nodiscard]] static ExtendedPoint sum_of_terms(std::span<const Term> terms) {
    alignas(EdwardsTerm) std::array<std::byte, kMaxTerms * sizeof(EdwardsTerm)> room;
    auto* const windowed = reinterpret_cast<EdwardsTerm*>(room.data());
    std::size_t count = 0;
    auto rest = ExtendedPoint::identity();
    for (const auto& term : terms) {
      const auto P = term.element != nullptr ? point_of(*term.element) : ExtendedPoint::base();
      if (term.scalar == nullptr)
        rest = crypto::add(rest, P);
      else
        std::construct_at(windowed + count++, scalar_bytes(*term.scalar), std::endian::little, P);
    }
    return crypto::add(rest, sum_of(std::span<const EdwardsTerm>(windowed, count)));
  }

  // RFC 8032, Section 5.1.3.  x^2 = u / v with u = y^2 - 1, v = d y^2 + 1;  x = u v^3 (u v^7)^((p - 5) / 8), which is a
  // root of u / v or of -u / v, and then sqrt(-1) times it is one.
  [[nodiscard]] static bool decode_one(Decoding& member) {
    if (member.bytes.size() != kSize) return false;
    const auto sign = declassify_value(static_cast<std::uint8_t>(member.bytes.back() >> 7U));
    const auto y_bytes = Secret<kSize>::make([&](std::span<std::uint8_t, kSize> out) {
      std::ranges::copy(member.bytes, out.begin());
      out.back() &= 0x7fU;
    });
    ExtendedPoint P{.X = {}, .Y = {}, .Z = Number(1), .T = {}};
    const auto canonical = Number::decode(y_bytes.reveal(), std::endian::little, P.Y);
    const auto yy = P.Y.square();
    const auto u = yy - Number(1), v = kD * yy + Number(1);
    const auto uv3 = u * v.square() * v;
    auto exponent = Number::kModulus;  // (p - 5) / 8
    exponent[0] -= 5;
    const auto root = uv3 * (uv3 * v.square() * v.square()).pow_public(shift_right(exponent, 3));
    const auto check = v * root.square();
    const auto is_root = equal(check, u), is_twisted = equal(check, -u);
    P.X = Number::select(is_twisted, root * kRootOfMinusOne, root);
    P.X = P.X.negate_if(P.X.is_odd() ^ (0 - static_cast<Mask>(sign)));
    P.T = P.X * P.Y;
    // x = 0 is y = 1 or y = -1: the identity and a point of order two, neither of them in the group with the rest.
    if (declassify_value(canonical & (is_root | is_twisted) & ~P.X.is_zero()) == 0) return false;
    const EdwardsTerm term(kOrderBytes, std::endian::little, P);
    if (declassify_value(is_identity(sum_of(std::span<const EdwardsTerm>(&term, 1)))) == 0) return false;
    member.element = element_of(P);
    return true;
  }
};

}  // namespace

const Group& edwards25519_group() noexcept {
  static const Edwards25519 group;
  return group;
}

}  // namespace pake::crypto
