// Where a password comes from, and where it must not come from.
#pragma once

#include <CLI/App.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "pake/base/secret.h"
#include "process/problem.h"

namespace pake::cli {

/// A password has 1 to this many bytes.
inline constexpr std::size_t kMaxPassword = 1024;

struct SecretOptions {
  std::optional<int> fd = {};
  std::optional<std::string> file = {};
  bool prompt = false;
  std::string asks = "Password: ";          // what the prompt says
  std::optional<std::string> in_argv = {};  // given where everybody can read it: refused
};

/// The variable that read_secret looks at, and what a manual page says of it.
inline constexpr const char* kSecretVariable = "PAKE_PASSWORD";
inline constexpr const char* kSecretVariableHelp =
    "The password or code, unless --password-fd or --password-file gives it. Overwritten and unset at once";

/// Adds --password-fd, --password-file and --password-prompt, and refuses --password with a hint.
void add_secret_options(CLI::App& command, SecretOptions& options);

/// Whether add_secret_options has been called for `command`.
[[nodiscard]] bool takes_secret(const CLI::App& command);

/// The password from the first source that is given: --password-fd, --password-file, PAKE_PASSWORD (overwritten and
/// unset in any case), --password-prompt (without echo). One LF or CRLF at the end of a file is not part of it.
/// @return nothing when no source is given; a usage problem when a password was put into the command line
[[nodiscard]] Expected<std::optional<SecretBuffer>> read_secret(const SecretOptions& options);

/// All that `fd` gives, at most `limit` bytes. `name` is what errors call it.
[[nodiscard]] Expected<SecretBuffer> read_all(int fd, std::size_t limit, std::string_view name);

}  // namespace pake::cli
