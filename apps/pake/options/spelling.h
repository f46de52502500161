// What a person may have meant who mistyped a word.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pake::cli {

/// Letters inserted, left out, replaced, or swapped with their neighbour, to make `a` of `b`; `limit` if there are as
/// many or more.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// The one of `words` that `typed` is most like, or "" if none is near: a third of its letters may differ.
[[nodiscard]] std::string nearest(std::string_view typed, std::span<const std::string> words);

}  // namespace pake::cli
