// `pake lab`: attacks on one's own runs, to see why the protocol of 1992 is broken.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::lab {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::lab
