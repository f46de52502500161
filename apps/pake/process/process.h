// What a program that holds secrets and many connections asks of its process.
#pragma once

#include <cstddef>

#include "process/problem.h"

namespace pake::cli {

/// No core dumps, no debugger of the same user; a closed pipe is an error to see instead of a signal, and a closed
/// stdin, stdout or stderr an error to see instead of the next file's place. Comes before any file is opened.
void harden_process();

/// Whether it was opened for what is wanted of it; nohup's stdin was not. Asked before a code or a password is at
/// stake.
[[nodiscard]] Expected<void> check_stdin();
[[nodiscard]] Expected<void> check_stdout();

/// Ends as a signal ends a program, if `exit_code` says that one did (kExitSignal and more): a shell then sees it, and
/// stops its script. Otherwise returns it.
[[nodiscard]] int end_as_told(int exit_code);

/// Raises the limit of open files to what the system allows this process, and returns it.
std::size_t raise_file_limit();

}  // namespace pake::cli
