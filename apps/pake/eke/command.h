// `pake eke`: the seed's two programs.
#pragma once

#include "options/command_line.h"

namespace pake::cli::eke {

/// Adds `eke listen` and `eke connect`; the one that is typed becomes `line.chosen`.
void add_command(CommandLine& line);

}  // namespace pake::cli::eke
