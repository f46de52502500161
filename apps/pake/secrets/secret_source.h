// Where a password or a code comes from, and where it must not come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "options/command.h"
#include "pake/base/secret.h"
#include "process/problem.h"

namespace pake::cli {

/// What a file or a descriptor may hold, in bytes, less the end of its line.
inline constexpr std::size_t kMaxPassword = 1024;

enum class SecretKind : std::uint8_t {
  password,      // --password-fd, --password-file, PAKE_PASSWORD; typed unseen
  new_password,  // --new-password-fd, --new-password-file, PAKE_NEW_PASSWORD; typed unseen
  code,          // --code-fd, --code-file, PAKE_CODE, shown as it is typed; a password's spellings work too
  // A code of a command that reads a password beside it: a password's spellings are the password's.
  invitation,
};

/// What the command line says of one secret. It must stay where it is once secret_settings has been called.
struct SecretOptions {
  SecretKind kind = SecretKind::password;
  std::optional<int> fd = {};
  std::optional<std::string> file = {};
  std::optional<int> other_fd = {};  // of a code, by a password's spelling
  std::optional<std::string> other_file = {};
  bool by_program = false;                // PAKE_ASKPASS may ask for it
  bool prompt = false;                    // ask on the terminal, whatever the environment says
  bool hide = false;                      // a code: do not show it as it is typed
  std::vector<std::string> in_argv = {};  // given where everybody can read it: refused
};

/// The settings of `options`, for a command's table. Those that are refused are among them.
[[nodiscard]] Settings secret_settings(SecretOptions& options);
/// The variables that a command with these settings reads.
[[nodiscard]] std::vector<Variable> secret_variables(SecretKind kind);

/// How one asks for a secret if the terminal has to give it.
struct SecretPrompt {
  std::string question;
  bool twice = false;  // somebody chooses it: asked again until both are the same
  /// What is wrong with what was typed, or nothing: then it is said, and asked again. Nothing has been sent by then.
  std::function<std::optional<Problem>(Bytes typed)> check = {};
};

struct GivenSecret {
  SecretBuffer text;
  std::string source;      // as a person would name it: "PAKE_CODE", "--code-file F", "the prompt"
  bool was_typed = false;  // it can be asked for again
};

/// The secret from the first source that there is: an option (descriptor, file, prompt), the environment, and the
/// terminal, if `ask` is given. The variables are overwritten where they lie and unset in any case; call it before the
/// program has a second thread. One LF or CRLF at the end of a file is not part of the secret.
/// @return nothing when no source gives one; a usage problem when a secret was put into the command line
[[nodiscard]] Expected<std::optional<GivenSecret>> read_secret(const SecretOptions& options,
                                                               const std::optional<SecretPrompt>& ask);

/// All that `fd` gives, at most `limit` bytes. `name` is what errors call it.
/// @param wait  called before each read; false ends it there
[[nodiscard]] Expected<SecretBuffer> read_all(int fd, std::size_t limit, std::string_view name,
                                              const std::function<bool()>& wait = {});

}  // namespace pake::cli
