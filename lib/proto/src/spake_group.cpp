#include "spake_group.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "pake/internal/try.h"

namespace pake::spake {
namespace {

using crypto::Element;
using crypto::Group;
using crypto::GroupId;
using crypto::Scalar;
using crypto::Sum;
using crypto::SumTerm;

bool is_edwards(GroupId group) noexcept { return group == GroupId::edwards25519; }

/// The points as the documents print them: compressed.
struct Constants {
  std::string_view M, N;
};
constexpr Constants kP256 = {
    .M = "02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f",
    .N = "03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49",
};
constexpr Constants kP384 = {
    .M = "030ff0895ae5ebf6187080a82d82b42e2765e3b2f8749c7e05eba366434b363d3dc36f15314739074d2eb8613fceec2853",
    .N = "02c72cf2e390853a1c1c4ad816a62fd15824f56078918f43f922ca21518f9c543bb252c5490214cf9aa3f0baab4b665c10",
};
constexpr Constants kP521 = {
    .M = "02003f06f38131b2ba2600791e82488e8d20ab889af753a41806c5db18d37d85608c"
         "fae06b82e4a72cd744c719193562a653ea1f119eef9356907edc9b56979962d7aa",
    .N = "0200c7924b9ec017f3094562894336a53c50167ba8c5963876880542bc669e494b25"
         "32d76c5b53dfb349fdf69154b9e0048c58a42e8ed04cef052a3bc349d95575cd25",
};
constexpr Constants kEdwards25519 = {
    .M = "d048032c6ea0b6d697ddc2e86bda85a33adac920f1bf18e1b0c6d166a5cecdaf",
    .N = "d3bfb518f44f3430f29d0c92af503865a1ed3281dc69b35dd868ba85f886c4ab",
};

Buffer from_hex(std::string_view digits) {
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  Buffer bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(value(digits[2 * i]) * 16 + value(digits[2 * i + 1]));
  return bytes;
}

BlindingPoint make_point(GroupId group, std::string_view digits) {
  auto point = Group::get(group).decode(from_hex(digits));
  if (!point) std::abort();  // a constant of this file
  auto encoded = to_buffer(encode(group, *point).reveal());
  crypto::FixedPoint fixed(group, *point);
  return {.point = *std::move(point), .fixed = std::move(fixed), .encoded = std::move(encoded)};
}

struct Points {
  explicit Points(GroupId group, const Constants& of) : M(make_point(group, of.M)), N(make_point(group, of.N)) {}
  BlindingPoint M, N;
};

const Points& points(GroupId group) {
  switch (group) {
    case GroupId::p256: {
      static const Points p256(group, kP256);
      return p256;
    }
    case GroupId::p384: {
      static const Points p384(group, kP384);
      return p384;
    }
    case GroupId::p521: {
      static const Points p521(group, kP521);
      return p521;
    }
    case GroupId::edwards25519: {
      static const Points edwards25519(group, kEdwards25519);
      return edwards25519;
    }
    case GroupId::ristretto255:
      break;
  }
  std::abort();  // no suite of either document
}

}  // namespace

std::size_t element_size(GroupId group) noexcept { return is_edwards(group) ? 32 : 1 + 2 * scalar_size(group); }
std::size_t scalar_size(GroupId group) noexcept { return Group::get(group).scalar_size(); }

EncodedElement encode(GroupId group, const Element& element) {
  if (is_edwards(group)) return EncodedElement::copy_of(Group::get(group).encode(element).reveal());
  return EncodedElement::copy_of(crypto::nist_encode_uncompressed(group, element).reveal());
}

Result<Element> decode(GroupId group, Bytes bytes) {
  return is_edwards(group) ? Group::get(group).decode(bytes) : crypto::nist_decode_uncompressed(group, bytes);
}

EncodedScalar encode_scalar(const Scalar& scalar, GroupId group) {
  return EncodedScalar::make(scalar.size(), [&](MutableBytes out) {
    std::ranges::copy(scalar.reveal(), out.begin());
    if (is_edwards(group)) std::ranges::reverse(out);
  });
}

Result<Scalar> decode_scalar(GroupId group, Bytes bytes) {
  if (bytes.size() != scalar_size(group)) return fail(Errc::malformed);
  const auto serialised = EncodedScalar::make(bytes.size(), [&](MutableBytes out) {
    std::ranges::copy(bytes, out.begin());
    if (is_edwards(group)) std::ranges::reverse(out);
  });
  PAKE_TRY(auto scalar, Group::get(group).decode_scalar(serialised.reveal()));
  if (Group::is_zero(scalar)) return fail(Errc::malformed);
  return scalar;
}

const BlindingPoint& M(GroupId group) { return points(group).M; }
const BlindingPoint& N(GroupId group) { return points(group).N; }

Result<Element> blind(GroupId group, const Scalar& x, const Scalar& w, const Element& B) {
  return Group::get(group).sum({{.scalar = &x, .element = nullptr}, {.scalar = &w, .element = &B}});
}

Result<Element> unblind(GroupId group, const Element& Q, const Scalar& w, const Element& B) {
  const auto minus_w = Group::get(group).negate_scalar(w);
  return Group::get(group).sum({{.scalar = nullptr, .element = &Q}, {.scalar = &minus_w, .element = &B}});
}

Result<Element> blind(GroupId group, const Scalar& x, const Scalar& w, const BlindingPoint& B) {
  const std::array<SumTerm, 2> terms = {{{.scalar = &x}, {.scalar = &w, .fixed = &B.fixed}}};
  Sum sum{.terms = terms};
  PAKE_TRYV(crypto::sum(group, {&sum, 1}));
  return std::move(sum.result);
}

Result<Element> unblind(GroupId group, const Element& Q, const Scalar& w, const BlindingPoint& B) {
  const auto minus_w = Group::get(group).negate_scalar(w);
  const std::array<SumTerm, 2> terms = {{{.element = &Q}, {.scalar = &minus_w, .fixed = &B.fixed}}};
  Sum sum{.terms = terms};
  PAKE_TRYV(crypto::sum(group, {&sum, 1}));
  return std::move(sum.result);
}

Scalar times_cofactor(GroupId group, const Scalar& x) {
  const auto& G = Group::get(group);
  if (!is_edwards(group)) return Scalar::copy_of(x.reveal());
  constexpr std::array<std::uint8_t, 1> kEight = {8};
  return G.multiply_scalars(x, G.reduce_scalar(kEight, std::endian::little));
}

std::array<std::uint8_t, 8> len(Bytes S) noexcept {
  std::array<std::uint8_t, 8> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] = static_cast<std::uint8_t>(std::uint64_t{S.size()} >> 8 * i);
  return octets;
}

SecretBuffer with_lengths(std::initializer_list<Bytes> strings) {
  std::size_t size = 0;
  for (const auto string : strings) size += 8 + string.size();
  return SecretBuffer::make(size, [&](MutableBytes out) {
    auto next = out.begin();
    for (const auto string : strings) {
      next = std::ranges::copy(len(string), next).out;
      next = std::ranges::copy(string, next).out;
    }
  });
}

}  // namespace pake::spake
