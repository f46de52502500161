// How ristretto255 is computed on this machine.
#pragma once

#include <cstdint>
#include <string_view>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

/// libsodium: one point after the other, everywhere. The others compute four independent points at once and give the
/// same bytes.
enum class RistrettoBackend : std::uint8_t { libsodium, avx2, avx512_ifma };

[[nodiscard]] std::string_view to_string(RistrettoBackend backend) noexcept;

/// The one in use: the fastest that this processor has, unless another was chosen.
[[nodiscard]] RistrettoBackend ristretto255_backend() noexcept;

/// For tests and benchmarks. False, and nothing changes, if this processor cannot run it. Any thread, at any time:
/// elements made by one are good for every other.
bool choose_ristretto255_backend(RistrettoBackend backend) noexcept;

}  // namespace pake::crypto

PAKE_EXPORT_END
