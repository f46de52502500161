// What a shell offers behind `pake` and the tabulator: subcommands, options, files, directories, hosts, and the words
// of a choice.
#pragma once

#include <string>

#include "options/command.h"

namespace pake::cli::manual {

[[nodiscard]] std::string bash_completion(const Command& program);
[[nodiscard]] std::string zsh_completion(const Command& program);
[[nodiscard]] std::string fish_completion(const Command& program);

}  // namespace pake::cli::manual
