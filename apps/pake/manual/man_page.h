// One manual page a command, for man(1).
#pragma once

#include <string>

#include "options/command.h"

namespace pake::cli::manual {

/// The page of `command`, one of the tree of `program`, in the man macros of roff: name, synopsis, description, options
/// or commands, exit status, environment, configuration, examples, see also.
[[nodiscard]] std::string man_page(const Command& program, const std::string& version, const NamedCommand& command);

/// The page of a command's configuration file, section 5: every key of its settings.
[[nodiscard]] std::string configuration_page(const Command& program, const std::string& version,
                                             const NamedCommand& command);

/// full_name with `separator` between its words: "pake-eke-listen".
[[nodiscard]] std::string joined_name(std::string full_name, char separator);

}  // namespace pake::cli::manual
