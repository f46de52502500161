// What must be true of every run, whatever the network did.
#pragma once

#include <string>
#include <vector>

#include "simulation.h"

namespace pake::channel::simulator {

/// What is not as it must be, in words; nothing where all is well.
[[nodiscard]] std::vector<std::string> broken_properties(const Simulation& simulation);

}  // namespace pake::channel::simulator
