// `pake hosts`: what --remember keeps.
#pragma once

#include "options/command.h"

namespace pake::cli::login {

[[nodiscard]] Command hosts_command();

}  // namespace pake::cli::login
