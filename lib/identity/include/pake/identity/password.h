// Passwords, in the one form that enters a key.
#pragma once

#include <cstddef>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake::identity {

inline constexpr std::size_t kMaxPasswordSize = 1024;

using Password = SecretBuffer;

/// The form of a password that enters a key, the same wherever it is typed: each space that is not ASCII becomes
/// U+0020, then Normalization Form C. Nothing else is changed: letters keep their case, and spaces around it count.
///
/// @param typed  UTF-8; at most 4 * kMaxPasswordSize bytes are looked at, more is malformed
/// @return       1 to 1,024 bytes without control characters. Errc::malformed when it is not UTF-8, has a control
///               character (tabulators and line ends are ones), or has another size.
[[nodiscard]] Result<Password> normalise_password(Bytes typed);

/// normalise_password of what a file or a descriptor held: one LF or CRLF at its end does not count.
[[nodiscard]] Result<Password> normalise_password_of_file(Bytes content);

}  // namespace pake::identity

PAKE_EXPORT_END
