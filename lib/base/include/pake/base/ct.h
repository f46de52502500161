// Constant time: comparison, wiping, and the marks by which tests and audits find where secrets end.
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake {

/// Overwrites `bytes` with zeros; the compiler may not leave it out.
void wipe(MutableBytes bytes) noexcept;

/// True when both have the same length and the same content. The time depends on the lengths alone; the answer is
/// public.
[[nodiscard]] bool ct_equal(Bytes a, Bytes b) noexcept;

/// True when every byte is zero. The time depends on the length alone; the answer is public.
[[nodiscard]] bool ct_is_zero(Bytes bytes) noexcept;

/// Says that these bytes, derived from a secret, are public from here on (a message about to be sent, the outcome of a
/// check). Does nothing outside the constant-time test build (preset `ct`), where valgrind is told.
void declassify(Bytes bytes) noexcept;

/// Says that these bytes are secret: in the preset `ct` valgrind reports every branch and index that depends on them.
void mark_secret(Bytes bytes) noexcept;

/// `declassify` for a plain value, by copy: `if (declassify_value(is_identity)) ...`
template <class T>
[[nodiscard]] T declassify_value(T value) noexcept {
  declassify({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  return value;
}

}  // namespace pake

PAKE_EXPORT_END
