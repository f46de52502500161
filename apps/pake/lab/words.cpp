#include "lab/words.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "terminal/escape.h"

namespace pake::cli::lab {
namespace {
constexpr std::size_t kMostBytes = 1UL << 30U;
}

Words Words::of(std::string text) {
  Words words;
  words.text_ = std::move(text);
  for (std::size_t at = 0; at < words.text_.size();) {
    const auto end = std::min(words.text_.find('\n', at), words.text_.size());
    auto size = end - at;
    if (size > 0 && words.text_[at + size - 1] == '\r') --size;
    if (size > 0)
      words.words_.push_back({.at = static_cast<std::uint32_t>(at), .size = static_cast<std::uint32_t>(size)});
    at = end + 1;
  }
  return words;
}

Expected<Words> Words::read(const std::string& path) {
  const auto problem = [&](std::string_view what) {
    return std::unexpected(Problem{.exit_code = kExitFailed, .error = fmt::format("{}: {}", escape(path), what)});
  };
  std::ifstream file(path, std::ios::binary);
  if (!file) return problem(explain_errno(errno));
  std::string text;
  std::string piece(1UL << 20U, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    text.append(piece, 0, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMostBytes) return problem("a list of words has at most 1 GiB");
  }
  if (file.bad()) return problem("it cannot be read");
  auto words = of(std::move(text));
  if (words.size() == 0) return problem("there is no word in it");
  return words;
}

}  // namespace pake::cli::lab
