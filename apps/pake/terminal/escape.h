// Text that somebody else chose, made harmless for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace pake::cli {

/// `text` as printable UTF-8 on one line: control characters, the marks that reorder or break lines, and bytes that are
/// no UTF-8 become \n, \t, \x1b, \u202e. A backslash stays as it is, so this is for eyes: programs read --json.
[[nodiscard]] std::string escape(std::string_view text);

/// True for well-formed UTF-8 (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace pake::cli
