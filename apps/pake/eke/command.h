// `pake eke`: the two teaching programs of 1992's protocol.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::eke {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::eke
