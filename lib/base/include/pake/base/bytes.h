// Views of bytes, and the one growing buffer for what is not secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

/// Owned public bytes. It grows by copying and does not wipe: a secret goes into `Secret` or `SecretBuffer`.
using Buffer = std::vector<std::uint8_t>;

/// The bytes of `text`, without a terminating NUL. The view lives as long as `text` does.
[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// `bytes` seen as characters, whatever they are. The view lives as long as `bytes` does.
[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Buffer to_buffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace pake

PAKE_EXPORT_END
