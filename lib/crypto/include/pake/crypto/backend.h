// How ristretto255 and P-256 are computed on this machine.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

/// portable: one point after the other, everywhere. avx2 and avx512_ifma compute four independent points at once (the
/// latter eight, of a batch that has as many). libsodium's is there to be compared with. All give the same bytes.
enum class RistrettoBackend : std::uint8_t { libsodium, portable, avx2, avx512_ifma };

inline constexpr std::array kRistrettoBackends = {RistrettoBackend::libsodium, RistrettoBackend::portable,
                                                  RistrettoBackend::avx2, RistrettoBackend::avx512_ifma};

[[nodiscard]] std::string_view to_string(RistrettoBackend backend) noexcept;

/// The one in use: the fastest that this processor has, unless another was chosen.
[[nodiscard]] RistrettoBackend ristretto255_backend() noexcept;

/// For tests and benchmarks. False, and nothing changes, if this processor cannot run it. Any thread, at any time:
/// elements made by one are good for every other.
bool choose_ristretto255_backend(RistrettoBackend backend) noexcept;

/// OpenSSL: one product after the other, everywhere. AVX-512 IFMA: four products at once, all but one that is alone,
/// and sums of them; the same points.
enum class P256Backend : std::uint8_t { openssl, avx512_ifma };

[[nodiscard]] std::string_view to_string(P256Backend backend) noexcept;
[[nodiscard]] P256Backend p256_backend() noexcept;
/// As choose_ristretto255_backend. A FixedPoint has the table of the one that was in use when it was made, and does
/// without it under another.
bool choose_p256_backend(P256Backend backend) noexcept;

}  // namespace pake::crypto

PAKE_EXPORT_END
