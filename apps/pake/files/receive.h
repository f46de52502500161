// pake receive: the one who types the code.
#pragma once

#include "files/options.h"

namespace pake::cli::files {

/// Runs to the end; returns the exit code.
[[nodiscard]] int receive(const ReceiveOptions& options);

}  // namespace pake::cli::files
