// Writing a small file as a whole.
#pragma once

#include <string>
#include <string_view>

#include "process/problem.h"

namespace pake::cli::lab {

/// Writes `text` beside `path` and renames it: whoever reads finds the old text or the new one.
[[nodiscard]] Expected<void> replace_file(const std::string& path, std::string_view text);

}  // namespace pake::cli::lab
