// `pake draw`: a trace as a picture.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::draw {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::draw
