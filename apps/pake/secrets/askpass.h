// PAKE_ASKPASS: a program of the user's that asks for a password, as SSH_ASKPASS is for ssh.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "pake/base/secret.h"
#include "process/problem.h"

namespace pake::cli {

/// The program that is to ask now, if one is: PAKE_ASKPASS, if there is no terminal or PAKE_ASKPASS_REQUIRE is "force"
/// or "prefer"; never if that is "never".
[[nodiscard]] std::optional<std::string> askpass_program();

/// Runs `program` with the question as its one argument, and takes the first line of what it prints. Its stdin is
/// empty: ours may carry data. A signal that ends a program ends the question, with its exit code.
/// @param longest  more bytes than that are a problem
[[nodiscard]] Expected<SecretBuffer> ask_by_program(const std::string& program, std::string_view question,
                                                    std::size_t longest);

}  // namespace pake::cli
