// P-256, P-384, P-521: everything is our own, save the scalar multiplication on P-256 and P-521, which is OpenSSL's.
#include <algorithm>

#include "clean_stack.h"
#include "groups.h"
#include "nist_curve.h"
#include "openssl_curve.h"

namespace pake::crypto {
namespace {

/// An Element's bytes, x || y.
template <class Curve>
Element element_of(const AffinePoint<Curve>& P) {
  constexpr auto kSize = Coordinate<Curve>::kSize;
  return Element::make(2 * kSize, [&](MutableBytes out) {
    P.x.encode(out.template first<kSize>(), std::endian::big);
    P.y.encode(out.template last<kSize>(), std::endian::big);
  });
}

template <class Curve>
Bytes coordinates(const Element& element) {
  return exactly<2 * Coordinate<Curve>::kSize>(element.reveal());
}

template <class Curve>
class NistGroup final : public GroupWithScalars<typename Curve::Order, std::endian::big, Curve::kL> {
  using F = Coordinate<Curve>;
  static constexpr auto kSize = F::kSize;

 public:
  NistGroup()
      : GroupWithScalars<typename Curve::Order, std::endian::big, Curve::kL>(Curve::kId, Curve::kHash, 1 + kSize) {}

  // The tag and the length exclude infinity (00), uncompressed (04), compact (05) and hybrid (06, 07) points.
  [[nodiscard]] Result<Element> decode(Bytes bytes) const override {
    return on_clean_stack([&] { return decode_compressed(bytes); });
  }
  [[nodiscard]] static Result<Element> decode_compressed(Bytes bytes) {
    if (bytes.size() != 1 + kSize) return fail(Errc::malformed);
    const auto tag = declassify_value(bytes[0]);
    if (tag != 2 && tag != 3) return fail(Errc::malformed);
    F x;
    const auto below_p = F::decode(bytes.last<kSize>(), std::endian::big, x);
    const auto y_squared = curve_equation<Curve>(x);
    const auto y = y_squared * power_p_minus_3_over_4(y_squared);
    if (declassify_value(below_p & equal(y.square(), y_squared)) == 0) return fail(Errc::malformed);
    const Mask wanted_odd = 0 - static_cast<Mask>(tag & 1U);
    return element_of<Curve>({.x = x, .y = y.negate_if(y.is_odd() ^ wanted_odd)});
  }

  [[nodiscard]] SecretUpTo<kMaxElementSize> encode(const Element& element) const override {
    const auto xy = coordinates<Curve>(element);
    return SecretUpTo<kMaxElementSize>::make(1 + kSize, [&](MutableBytes out) {
      out[0] = static_cast<std::uint8_t>(2U | (xy.back() & 1U));
      std::ranges::copy(xy.first(kSize), out.begin() + 1);
    });
  }

  // RFC 9380, Section 3, hash_to_curve:  (u0, u1) = hash_to_field(msg, 2);  map(u0) + map(u1), the cofactor being 1
  [[nodiscard]] Result<Element> hash_to_group(std::initializer_list<Bytes> message_parts,
                                              std::initializer_list<Bytes> dst_parts) const override {
    return on_clean_stack([&]() -> Result<Element> {
      const auto u = hash_to_field<Curve, 2>(message_parts, dst_parts);
      const auto P = add(map_to_curve_sswu<Curve>(u[0]), map_to_curve_sswu<Curve>(u[1]));
      if (declassify_value(P.Z.is_zero()) != 0) return fail(Errc::malformed);
      return element_of(to_affine(P));
    });
  }

  [[nodiscard]] Status multiply(std::span<Multiplication> batch) const override {
    return on_clean_stack<16384>([&] { return multiply_each(batch); });
  }

 private:
  [[nodiscard]] static Status multiply_each(std::span<Multiplication> batch) {
    bool infinity = false;
    for (auto& product : batch) {
      const auto scalar = exactly<Fe<typename Curve::Order>::kSize>(product.scalar->reveal());
      const auto point = product.element == nullptr ? Bytes() : coordinates<Curve>(*product.element);
      product.result = Element::make(2 * kSize, [&](MutableBytes out) {
        if constexpr (Curve::kMultiplyByOpenSSL)
          infinity |= !openssl_multiply(Curve::kId, scalar, point, out);
        else
          infinity |= !multiply_ourselves(scalar, point, out);
      });
    }
    return infinity ? Status(fail(Errc::malformed)) : Status();
  }

  /// As openssl_multiply.
  static bool multiply_ourselves(std::span<const std::uint8_t, Fe<typename Curve::Order>::kSize> scalar, Bytes point,
                                 MutableBytes product) {
    Point<Curve> P{.X = F::from_limbs(Curve::kGx), .Y = F::from_limbs(Curve::kGy), .Z = F(1)};
    if (!point.empty()) {
      P.X = F::reduce(point.first(kSize), std::endian::big);
      P.Y = F::reduce(point.last(kSize), std::endian::big);
    }
    const auto result = crypto::multiply(scalar, P);
    const auto [x, y] = to_affine(result);  // zeros for infinity
    x.encode(product.first<kSize>(), std::endian::big);
    y.encode(product.last<kSize>(), std::endian::big);
    return declassify_value(result.Z.is_zero()) == 0;
  }
};

/// Calls `use` with the constants of the curve; any other group is the caller's bug.
template <class Use>
auto with_curve(GroupId curve, Use&& use) {
  switch (curve) {
    case GroupId::p256:
      return use(P256());
    case GroupId::p384:
      return use(P384());
    case GroupId::p521:
      return use(P521());
    case GroupId::ristretto255:
      break;
  }
  std::abort();
}

}  // namespace

const Group& nist_group(GroupId curve) noexcept {
  static const NistGroup<P256> p256;
  static const NistGroup<P384> p384;
  static const NistGroup<P521> p521;
  switch (curve) {
    case GroupId::p256:
      return p256;
    case GroupId::p384:
      return p384;
    case GroupId::p521:
      return p521;
    case GroupId::ristretto255:
      break;
  }
  std::abort();
}

// RFC 9380, Section 3, encode_to_curve:  u = hash_to_field(msg, 1);  map(u), which is never infinity
Element nist_encode_to_curve(GroupId curve, Bytes message, Bytes dst) {
  return with_curve(curve, [&]<class Curve>(Curve) {
    return on_clean_stack([&] {
      const auto u = hash_to_field<Curve, 1>({message}, {dst});
      return element_of(to_affine(map_to_curve_sswu<Curve>(u[0])));
    });
  });
}

Result<Element> nist_decode_uncompressed(GroupId curve, Bytes bytes) {
  return with_curve(curve, [&]<class Curve>(Curve) -> Result<Element> {
    using F = Coordinate<Curve>;
    if (bytes.size() != 1 + 2 * F::kSize || declassify_value(bytes[0]) != 4) return fail(Errc::malformed);
    const auto xy = bytes.subspan(1);
    F x, y;
    const auto x_below_p = F::decode(xy.first<F::kSize>(), std::endian::big, x);
    const auto y_below_p = F::decode(xy.last<F::kSize>(), std::endian::big, y);
    const auto on_curve = equal(y.square(), curve_equation<Curve>(x));
    if (declassify_value(x_below_p & y_below_p & on_curve) == 0) return fail(Errc::malformed);
    return Element::copy_of(xy);
  });
}

SecretUpTo<kMaxUncompressedSize> nist_encode_uncompressed(GroupId curve, const Element& element) {
  return with_curve(curve, [&]<class Curve>(Curve) {
    const auto xy = coordinates<Curve>(element);
    return SecretUpTo<kMaxUncompressedSize>::make(1 + xy.size(), [&](MutableBytes out) {
      out[0] = 4;
      std::ranges::copy(xy, out.begin() + 1);
    });
  });
}

SecretUpTo<kMaxScalarSize> nist_x_coordinate(GroupId curve, const Element& element) {
  return with_curve(curve, [&]<class Curve>(Curve) {
    return SecretUpTo<kMaxScalarSize>::copy_of(coordinates<Curve>(element).first(Coordinate<Curve>::kSize));
  });
}

}  // namespace pake::crypto
