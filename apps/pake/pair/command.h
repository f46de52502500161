// `pake pair`.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::pair {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::pair
