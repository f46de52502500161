// The drawing as SVG: one file, for a page, a viewer or paper.
#pragma once

#include <string>
#include <vector>

#include "draw/words.h"

namespace pake::cli::draw {

/// `runs` side by side, with a text alternative.
[[nodiscard]] std::string to_svg(const std::vector<Run>& runs, DrawOptions options);

}  // namespace pake::cli::draw
