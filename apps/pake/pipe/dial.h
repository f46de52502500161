// pake dial: the one who types the code.
#pragma once

#include "pipe/options.h"

namespace pake::cli::pipe {

/// Runs to the end; returns the exit code.
[[nodiscard]] int dial(const DialOptions& options);

}  // namespace pake::cli::pipe
