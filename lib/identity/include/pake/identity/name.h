// The names of users, in the one form that enters a key.
#pragma once

#include <cstddef>
#include <string>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake::identity {

inline constexpr std::size_t kMaxNameSize = 255;

/// The form of a name under which a user is kept and by which he logs in: utf8proc_tolower per code point, then
/// Normalization Form C, repeated until nothing changes. Client and server call this one function.
///
/// @param typed  UTF-8; at most 4 * kMaxNameSize bytes are looked at, more is malformed
/// @return       1 to 255 bytes of letters, marks, decimal digits and . _ - + @
///               Errc::malformed when it is not UTF-8, holds anything else (unassigned code points included), or has
///               another size
[[nodiscard]] Result<std::string> normalise_name(Bytes typed);

/// Whether `name` is what normalise_name makes of it. A server asks this of a name on the wire: any other form is an
/// unknown user.
[[nodiscard]] bool is_normalised_name(Bytes name);

}  // namespace pake::identity

PAKE_EXPORT_END
