// The program: every command there is.
#pragma once

#include "options/command.h"

namespace pake::cli {

[[nodiscard]] Command program();

}  // namespace pake::cli
