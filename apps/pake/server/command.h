// The server's commands: serve, user, keys, sessions.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::server {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::server
