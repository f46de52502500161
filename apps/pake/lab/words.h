// A list of words to try, a line each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "process/problem.h"

namespace pake::cli::lab {

class Words {
 public:
  /// Reads a file of at most 1 GiB. Empty lines are left out; a CR at a line's end is not part of the word.
  [[nodiscard]] static Expected<Words> read(const std::string& path);
  [[nodiscard]] static Words of(std::string text);

  [[nodiscard]] std::size_t size() const noexcept { return words_.size(); }
  /// Lives as long as this.
  [[nodiscard]] std::string_view operator[](std::size_t i) const {
    return std::string_view(text_).substr(words_[i].at, words_[i].size);
  }

 private:
  struct Word {
    std::uint32_t at;
    std::uint32_t size;
  };
  std::string text_;
  std::vector<Word> words_;
};

}  // namespace pake::cli::lab
