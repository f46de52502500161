// A pseudorandom function that one key serves under many labels.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/secret.h"

namespace pake::crypto {

/// HMAC-SHA256(key, size of label (1) || label || input). A label is a constant of at most 255 bytes.
[[nodiscard]] Secret<32> prf(std::span<const std::uint8_t, 32> key, std::string_view label, Bytes input) noexcept;

}  // namespace pake::crypto
