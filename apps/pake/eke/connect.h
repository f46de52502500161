// `pake eke connect`: the seed's server.py, which connects.
#pragma once

#include "eke/options.h"

namespace pake::cli::eke {

/// Proves the password, then sends lines until their end. Returns the exit code.
int connect(const ConnectOptions& options);

}  // namespace pake::cli::eke
