// The commands that log in at a server: connect, enroll, passwd, forward; and hosts, what they remember.
#pragma once

#include <vector>

#include "options/command.h"

namespace pake::cli::login {

[[nodiscard]] std::vector<Command> commands();

}  // namespace pake::cli::login
