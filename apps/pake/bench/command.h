// pake bench: what this machine does of handshakes and bytes in a second.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::bench {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::bench
