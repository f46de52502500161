// The listening side's table of users as a file.
#pragma once

#include <string>

#include "pake/proto/eke/rsa_eke.h"
#include "process/problem.h"

namespace pake::cli::eke {

/// Reads a line `name:password` for each user; empty lines and those that begin with # say nothing. Warns on stderr
/// where others may read the file.
/// @return the table, or what is wrong, with the line's number
[[nodiscard]] Expected<pake::eke::UserTable> read_users(const std::string& path);

/// The same from the file's text; `path` is what errors call it.
[[nodiscard]] Expected<pake::eke::UserTable> parse_users(Bytes text, const std::string& path);

}  // namespace pake::cli::eke
