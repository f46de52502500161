// Curve25519: X25519 (RFC 7748) and the map of RFC 9380's curve25519 suites.
#pragma once

#include <cstdint>
#include <span>

#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

inline constexpr std::size_t kX25519Size = 32;

/// 32 bytes of private key; clamped where it is used, or beforehand by `x25519_clamp`.
using X25519Scalar = Secret<kX25519Size, struct X25519ScalarTag>;
/// A u-coordinate, little-endian. It may be secret (CPace's generator is).
using X25519Point = Secret<kX25519Size, struct X25519PointTag>;

/// k[0] &= 248, k[31] &= 127, k[31] |= 64.
[[nodiscard]] X25519Scalar x25519_clamp(std::span<const std::uint8_t, kX25519Size> bytes);

/// X25519(k, u): bit 255 of u is ignored, values >= p are taken modulo p. Errc::malformed when the result is all zero,
/// as it is for every u of low order.
[[nodiscard]] Result<X25519Point> x25519(const X25519Scalar& k, std::span<const std::uint8_t, kX25519Size> u);

/// X25519(k, 9).
[[nodiscard]] X25519Point x25519_base(const X25519Scalar& k);

/// Elligator 2 with Z = 2 on 32 bytes read little-endian with bit 255 cleared; no cofactor clearing, no sign. As CPace
/// uses it.
[[nodiscard]] X25519Point curve25519_elligator2(std::span<const std::uint8_t, kX25519Size> bytes);

}  // namespace pake::crypto

PAKE_EXPORT_END
