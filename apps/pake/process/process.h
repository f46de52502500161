// What a program that holds secrets and many connections asks of its process.
#pragma once

#include <cstddef>

namespace pake::cli {

/// No core dumps, no debugger of the same user; a closed pipe is an error to see instead of a signal, and a closed
/// stdin, stdout or stderr an error to see instead of the next file's place. Comes before any file is opened.
void harden_process();

/// Raises the limit of open files to what the system allows this process, and returns it.
std::size_t raise_file_limit();

}  // namespace pake::cli
