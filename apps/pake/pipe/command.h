// `pake listen` and `pake dial`.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::pipe {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::pipe
