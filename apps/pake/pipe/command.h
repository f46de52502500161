// Puts `pake listen` and `pake dial` into the command line.
#pragma once

#include "options/command_line.h"

namespace pake::cli::pipe {

/// The one that is typed becomes `line.chosen`.
void add_commands(CommandLine& line);

}  // namespace pake::cli::pipe
