// Expected failures are values.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake {

enum class Errc : std::uint8_t {
  malformed,    // not a message of this protocol at this step: length, encoding, group element
  auth_failed,  // the peer did not prove the password; never says why
  misuse,       // the caller's bug: reading the calling code is enough to find it
  exhausted,    // a counter, quota or size limit ran out; start a new session
  unavailable,  // the store, the network or the entropy source could not answer
};

/// The enumerator's name, for logs.
[[nodiscard]] std::string_view to_string(Errc error) noexcept;

template <class T>
using Result = std::expected<T, Errc>;
using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Errc> fail(Errc error) noexcept { return std::unexpected(error); }

}  // namespace pake

PAKE_EXPORT_END
