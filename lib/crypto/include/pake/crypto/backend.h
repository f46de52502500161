// How ristretto255 is computed on this machine.
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

}  // namespace pake::crypto

PAKE_EXPORT_END
