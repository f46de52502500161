// The code that the other side shows, from wherever it comes.
#pragma once

#include <cstdint>
#include <string>

#include "pake/identity/code.h"
#include "process/problem.h"
#include "secrets/secret_source.h"

namespace pake::cli::pipe {

struct GivenCode {
  std::string selector;  // public, in front of the code: "7" of 7-violin-harvest-42; empty if there is none
  identity::Code code;
  std::string source;  // where it came from, as a person would name it
};

/// Asks again for what is misspelt at a terminal; nothing has been sent by then.
[[nodiscard]] Expected<GivenCode> ask_for_code(const SecretOptions& secret);
/// The same for a code that may have, or must have, a number in front by which the other side is found.
enum class Selector : std::uint8_t { none, allowed, wanted };
[[nodiscard]] Expected<GivenCode> ask_for_code(const SecretOptions& secret, Selector selector);

/// The other side did not prove the code, or says that we did not.
/// @param start  the command that starts the other side again: "pake listen"
[[nodiscard]] Problem wrong_code(const std::string& source, const std::string& start);

}  // namespace pake::cli::pipe
