// pake serve: the server.
#pragma once

#include "options/command.h"

namespace pake::cli::server {

[[nodiscard]] Command serve_command();

}  // namespace pake::cli::server
