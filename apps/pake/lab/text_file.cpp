#include "lab/text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

#include "terminal/escape.h"

namespace pake::cli::lab {

Expected<void> replace_file(const std::string& path, std::string_view text) {
  const auto beside = path + ".new";
  const auto problem = [&] {
    return std::unexpected(Problem{.exit_code = kExitFailed,
                                   .error = fmt::format("cannot write {}: {}", escape(path), explain_errno(errno))});
  };
  std::FILE* const file = std::fopen(beside.c_str(), "we");
  if (file == nullptr) return problem();
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !is_written) return problem();
  if (std::rename(beside.c_str(), path.c_str()) != 0) return problem();
  return {};
}

}  // namespace pake::cli::lab
