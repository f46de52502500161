// --quiet, which means the same for every command.
#pragma once

#include "options/setting.h"

namespace pake::cli {

/// Leaves out the notes on stderr; `details` (if not null) becomes false: then a command leaves out of stdout what is
/// neither result nor data.
[[nodiscard]] Setting quiet_setting(bool* details = nullptr);

}  // namespace pake::cli
