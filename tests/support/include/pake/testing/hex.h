// Hex for tests and vectors.
#pragma once

#include <string>
#include <string_view>

#include "pake/base/bytes.h"

namespace pake::testing {

/// The bytes of lower-case hex; anything else throws std::invalid_argument (a broken vector file must not pass).
[[nodiscard]] Buffer unhex(std::string_view text);
[[nodiscard]] std::string hex(Bytes bytes);

}  // namespace pake::testing
