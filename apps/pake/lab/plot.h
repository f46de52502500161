// "Words left against runs" as a drawing: one SVG file, that needs nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pake::cli::lab {

struct Curve {
  std::string name;
  std::vector<double> left;  // after 0, 1, 2, ... runs
  bool is_computed = false;  // drawn as a dashed line; otherwise measured, as points and a line
};

/// The words on a logarithmic axis. Readable in print, light and dark; a screen reader is given `title` and the
/// figures.
[[nodiscard]] std::string plot_words_left(std::string_view title, const std::vector<Curve>& curves);

}  // namespace pake::cli::lab
