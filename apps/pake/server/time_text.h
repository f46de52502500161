// Times as commands print them.
#pragma once

#include <string>

#include "pake/store/rows.h"

namespace pake::cli::server {

/// 2026-11-28T04:00:00Z
[[nodiscard]] std::string iso_time(store::Time time);

}  // namespace pake::cli::server
