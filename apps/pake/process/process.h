// What a program that holds secrets and many connections asks of its process.
#pragma once

#include <cstddef>

namespace pake::cli {

/// No core dumps, no debugger of the same user; a closed pipe is an error to see instead of a signal, and a closed
/// stdin, stdout or stderr an error to see instead of the next file's place. Comes before any file is opened.
void harden_process();

/// Ends as a signal ends a program, if `exit_code` says that one did (kExitSignal and more): a shell then sees it, and
/// stops its script. Otherwise returns it.
[[nodiscard]] int end_as_told(int exit_code);

/// Raises the limit of open files to what the system allows this process, and returns it.
std::size_t raise_file_limit();

}  // namespace pake::cli
