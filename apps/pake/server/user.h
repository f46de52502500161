// pake user: what an operator does to users.
#pragma once

#include "options/command.h"

namespace pake::cli::server {

[[nodiscard]] Command user_command();

}  // namespace pake::cli::server
