// Base64 with the standard alphabet and padding, without line breaks (RFC 4648, Section 4).
#pragma once

#include <cstddef>

#include "pake/base/bytes.h"
#include "pake/base/result.h"

namespace pake::crypto {

/// The number of characters that `size` bytes take.
[[nodiscard]] constexpr std::size_t base64_size(std::size_t size) noexcept { return (size + 2) / 3 * 4; }

/// The characters for `bytes`: base64_size(bytes.size()) of them. The time depends on the size alone.
[[nodiscard]] Buffer base64_encode(Bytes bytes);

/// The bytes of canonical Base64; nothing for nothing. Errc::malformed for any other character, missing or excess
/// padding, and unused bits that are not zero: base64_encode(base64_decode(text)) is always `text`.
[[nodiscard]] Result<Buffer> base64_decode(Bytes text);

}  // namespace pake::crypto
