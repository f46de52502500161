#include "options/spelling.h"

#include <algorithm>
#include <vector>

namespace pake::cli {

// Optimal string alignment, row by row.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const auto longer = std::max(a.size(), b.size());
  if (longer - std::min(a.size(), b.size()) >= limit) return limit;
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return std::min(row[b.size()], limit);
}

std::string nearest(std::string_view typed, std::span<const std::string> words) {
  std::string found;
  auto least = std::max<std::size_t>(typed.size() / 3, 1) + 1;
  for (const auto& word : words) {
    const auto distance = edit_distance(typed, word, least);
    if (distance >= least) continue;
    least = distance;
    found = word;
  }
  return found;
}

}  // namespace pake::cli
