// `pake send` and `pake receive`.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::files {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::files
