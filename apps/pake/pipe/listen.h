// pake listen: the one who shows the code.
#pragma once

#include "pipe/options.h"

namespace pake::cli::pipe {

/// Runs to the end; returns the exit code.
[[nodiscard]] int listen(const ListenOptions& options);

}  // namespace pake::cli::pipe
