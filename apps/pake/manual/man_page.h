// One manual page a command, for man(1).
#pragma once

#include <string>

#include "options/command_line.h"

namespace pake::cli::manual {

/// The page of `command`, one of the tree of `line`, in the man macros of roff: name, synopsis, description, options or
/// commands, exit status, environment, examples, see also.
[[nodiscard]] std::string man_page(const CommandLine& line, const CLI::App& command);

}  // namespace pake::cli::manual
