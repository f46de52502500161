// pake send: the one who has the files and shows the code.
#pragma once

#include "files/options.h"

namespace pake::cli::files {

/// Runs to the end; returns the exit code.
[[nodiscard]] int send(const SendOptions& options);

}  // namespace pake::cli::files
