// Settings from a TOML file.
#pragma once

#include <string>

#include "options/command.h"

namespace pake::cli {

/// Sets what the file has, but what `given` has too. A key that no setting has is an error, since a misspelt limit must
/// not be no limit.
/// @return what is wrong, with the file and its line
[[nodiscard]] Expected<void> read_configuration(const std::string& path, const Settings& settings, const Given& given);

}  // namespace pake::cli
