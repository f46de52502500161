// What a program that holds secrets and many connections asks of its process.
#pragma once

#include <cstddef>

namespace pake::cli {

/// No core dumps, no debugger of the same user, and a closed pipe is an error to see instead of a signal.
void harden_process();

/// Raises the limit of open files to what the system allows this process, and returns it.
std::size_t raise_file_limit();

}  // namespace pake::cli
