// `pake eke listen`: the seed's client.py, which listens.
#pragma once

#include "eke/options.h"

namespace pake::cli::eke {

/// Serves until a signal or, with `once`, until the first connection has ended. Returns the exit code.
int listen(const ListenOptions& options);

}  // namespace pake::cli::eke
