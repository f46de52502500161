// The words of a command line, sorted out: which command, which texts. What they mean is not known here.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "options/command.h"

namespace pake::cli {

struct Parsed {
  std::vector<NamedCommand> path;  // the program, and the commands typed below it
  Given given = {};                // to the last of them
  bool wants_help = false;
  bool wants_version = false;
};

/// @param words  without the program's own name
/// @return what is wrong, as a usage problem with the nearest word that there is
[[nodiscard]] Expected<Parsed> parse(const Command& program, std::span<const std::string> words);

}  // namespace pake::cli
