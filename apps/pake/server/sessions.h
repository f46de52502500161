// pake sessions: who is in.
#pragma once

#include "options/command.h"

namespace pake::cli::server {

[[nodiscard]] Command sessions_command();

/// Where a server with this data directory can be asked.
[[nodiscard]] std::string control_path(const std::string& directory);

}  // namespace pake::cli::server
