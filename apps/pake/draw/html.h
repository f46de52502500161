// The drawing as a page: each message opens, and shows its bytes field by field.
#pragma once

#include <string>
#include <vector>

#include "draw/words.h"

namespace pake::cli::draw {

/// `runs` side by side if there is room, else below one another. The page loads nothing and runs no script.
[[nodiscard]] std::string to_html(const std::vector<Run>& runs, DrawOptions options);

}  // namespace pake::cli::draw
