// Asks a question on the terminal, whatever stdin and stdout are.
#pragma once

#include <cstdint>
#include <string_view>

#include "pake/base/secret.h"
#include "process/problem.h"

namespace pake::cli {

enum class Echo : std::uint8_t {
  on,   // what is typed is shown
  off,  // it is not, and the question goes from the screen once it is answered
};

/// Whether there is a terminal to ask on.
[[nodiscard]] bool has_terminal();

/// One line, without its end; empty at the end of input too. Can be stopped and continued by a shell, and leaves the
/// terminal as it was.
/// @param longest  more bytes than that are a problem
/// @return the problem that there is no terminal, or of kExitSignal and more when a signal came
[[nodiscard]] Expected<SecretBuffer> prompt(std::string_view question, Echo echo, std::size_t longest);

}  // namespace pake::cli
