#include "openssl_curve.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <cstdlib>
#include <memory>

#include "boundary.h"

namespace pake::crypto {
namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};
using Number = std::unique_ptr<BIGNUM, Free<BN_clear_free>>;
using Point = std::unique_ptr<EC_POINT, Free<EC_POINT_clear_free>>;
using Scratch = std::unique_ptr<BN_CTX, Free<BN_CTX_free>>;

/// What OpenSSL refuses here is memory; there is nothing to go on with.
template <class Answer>
Answer must(Answer answer) {
  if (!answer) std::abort();
  return answer;
}

/// Made once, only read afterwards (by any thread), never freed.
const EC_GROUP* curve_of(GroupId id) {
  static const EC_GROUP* const p256 = must(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  static const EC_GROUP* const p521 = must(EC_GROUP_new_by_curve_name(NID_secp521r1));
  switch (id) {
    case GroupId::p256:
      return p256;
    case GroupId::p521:
      return p521;
    case GroupId::p384:
    case GroupId::ristretto255:
    case GroupId::edwards25519:
      break;
  }
  std::abort();
}

Number number(Bytes bytes) {
  Number value(must(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)));
  BN_set_flags(value.get(), BN_FLG_CONSTTIME);
  return value;
}

bool multiply(const EC_GROUP* curve, const OpenSslProducts& of, MutableBytes product) {
  const Scratch scratch(must(BN_CTX_new()));  // not kept between calls: it holds intermediate values until it is freed
  const auto n = of.generator_scalar.empty() ? nullptr : number(of.generator_scalar);
  const Point result(must(EC_POINT_new(curve)));
  if (of.scalar.empty()) {
    must(EC_POINT_mul(curve, result.get(), n.get(), nullptr, nullptr, scratch.get()));
  } else {
    const auto k = number(of.scalar);
    const auto x = number(of.point.first(of.point.size() / 2));
    const auto y = number(of.point.last(of.point.size() / 2));
    const Point factor(must(EC_POINT_new(curve)));
    must(EC_POINT_set_affine_coordinates(curve, factor.get(), x.get(), y.get(), scratch.get()));
    must(EC_POINT_mul(curve, result.get(), n.get(), factor.get(), k.get(), scratch.get()));
  }
  if (EC_POINT_is_at_infinity(curve, result.get()) == 1) return false;

  const Number x(must(BN_new())), y(must(BN_new()));
  must(EC_POINT_get_affine_coordinates(curve, result.get(), x.get(), y.get(), scratch.get()));
  const auto size = product.size() / 2;
  must(BN_bn2binpad(x.get(), product.data(), static_cast<int>(size)) >= 0);
  must(BN_bn2binpad(y.get(), product.data() + size, static_cast<int>(size)) >= 0);
  return true;
}

}  // namespace

bool openssl_multiply(GroupId curve, const OpenSslProducts& of, MutableBytes product) {
  bool finite = false;
  cross_boundary("openssl-multiply", {of.generator_scalar, of.scalar, of.point}, product,
                 [&] { finite = multiply(curve_of(curve), of, product); });
  return declassify_value(finite);
}

struct OpenSslTable::Curve {
  std::unique_ptr<EC_GROUP, Free<EC_GROUP_free>> group;
};

OpenSslTable::~OpenSslTable() = default;

// P-256 with another generator: what OpenSSL knows for its own is then a table that it makes. nistz256 reads all of it
// for every window, and whatever else stands in for nistz256 multiplies a generator in constant time too. The call is
// deprecated for what it does to a curve that others share, which this one is not; nothing took its place.
OpenSslTable::OpenSslTable(Bytes point)
    : curve_(std::make_unique<const Curve>(Curve{
          .group = std::unique_ptr<EC_GROUP, Free<EC_GROUP_free>>(must(EC_GROUP_dup(curve_of(GroupId::p256))))})) {
  auto* const group = curve_->group.get();
  const Scratch scratch(must(BN_CTX_new()));
  const auto x = number(point.first(point.size() / 2)), y = number(point.last(point.size() / 2));
  const Point generator(must(EC_POINT_new(group)));
  must(EC_POINT_set_affine_coordinates(group, generator.get(), x.get(), y.get(), scratch.get()));
  must(EC_GROUP_set_generator(group, generator.get(), EC_GROUP_get0_order(group), EC_GROUP_get0_cofactor(group)));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  must(EC_GROUP_precompute_mult(group, scratch.get()));
#pragma GCC diagnostic pop
}

bool OpenSslTable::multiply(Bytes scalar, MutableBytes product) const {
  bool finite = false;
  cross_boundary("openssl-multiply", {scalar}, product, [&] {
    finite = crypto::multiply(curve_->group.get(), {.generator_scalar = scalar, .scalar = {}, .point = {}}, product);
  });
  return declassify_value(finite);
}

}  // namespace pake::crypto
