// pake keys: the long-term keys of a server and their epochs.
#pragma once

#include "options/command.h"

namespace pake::cli::server {

[[nodiscard]] Command keys_command();

}  // namespace pake::cli::server
