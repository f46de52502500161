// Curve25519: the ladder by libsodium, Elligator 2 by our own field.
#include "pake/crypto/x25519.h"

#include <sodium.h>

#include "clean_stack.h"
#include "moduli.h"
#include "sodium_init.h"

namespace pake::crypto {
namespace {

using F = Fe<Curve25519Prime>;
static_assert(F::kSize == kX25519Size && crypto_scalarmult_curve25519_BYTES == kX25519Size);

}  // namespace

X25519Scalar x25519_clamp(std::span<const std::uint8_t, kX25519Size> bytes) {
  return X25519Scalar::make([&](std::span<std::uint8_t, kX25519Size> k) {
    std::ranges::copy(bytes, k.begin());
    k[0] &= 248;
    k[31] &= 127;
    k[31] |= 64;
  });
}

Result<X25519Point> x25519(const X25519Scalar& k, std::span<const std::uint8_t, kX25519Size> u) {
  ensure_sodium();
  int refused = 0;
  auto product = X25519Point::make([&](std::span<std::uint8_t, kX25519Size> out) {
    refused = crypto_scalarmult_curve25519(out.data(), k.reveal().data(), u.data());
  });
  if (declassify_value(refused) != 0 || ct_is_zero(product.reveal())) return fail(Errc::malformed);
  return product;
}

X25519Point x25519_base(const X25519Scalar& k) {
  ensure_sodium();
  return X25519Point::make([&](std::span<std::uint8_t, kX25519Size> out) {
    crypto_scalarmult_curve25519_base(out.data(), k.reveal().data());
  });
}

// RFC 9380, Section 6.7.1, with Z = 2:
//   v = -A / (1 + 2 * r^2)      the denominator is never zero: -1/2 is not a square
//   e = v^3 + A * v^2 + v       a square (zero included) or not
//   u = v where e is a square, else -v - A
X25519Point curve25519_elligator2(std::span<const std::uint8_t, kX25519Size> bytes) {
  const auto cleared = Secret<kX25519Size>::make([&](std::span<std::uint8_t, kX25519Size> out) {
    std::ranges::copy(bytes, out.begin());
    out[31] &= 127;
  });
  return on_clean_stack([&] {
    const auto r = F::reduce(cleared.reveal(), std::endian::little);
    const F one(1), A(486662);
    const auto r_squared = r.square();
    const auto v = -A * (one + r_squared + r_squared).invert();
    const auto e = v * (v.square() + A * v + one);
    const auto is_not_square = equal(e.pow_public(shift_right(F::kModulus, 1)), -one);
    const auto u = F::select(is_not_square, -v - A, v);
    return X25519Point::make([&](std::span<std::uint8_t, kX25519Size> out) { u.encode(out, std::endian::little); });
  });
}

}  // namespace pake::crypto
