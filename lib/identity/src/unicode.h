// Unicode in UTF-8, by utf8proc. What passes through may be secret: it lies in buffers that are wiped.
#pragma once

#include <concepts>
#include <cstdint>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"

namespace pake::identity {

enum class CodePointClass : std::uint8_t {
  letter,
  mark,
  decimal_digit,
  space,  // Zs: U+0020 and its kin, without tabulators and line ends
  control,
  unassigned,
  other,
};

[[nodiscard]] CodePointClass class_of(std::int32_t code_point) noexcept;

/// The simple lower-case mapping of one code point (one to one).
[[nodiscard]] std::int32_t to_lower(std::int32_t code_point) noexcept;

/// Maps each code point of `text` by `map(code_point)`, in UTF-8. Errc::malformed when `text` is not UTF-8, or `map`
/// says so by a negative value.
[[nodiscard]] Result<SecretBuffer> map_code_points(Bytes text, std::int32_t (*map)(std::int32_t));

/// Normalization Form C of `text`. Errc::malformed when it is not UTF-8.
[[nodiscard]] Result<SecretBuffer> to_nfc(Bytes text);

}  // namespace pake::identity
