// `pake connect`: log in, then lines to type or a pipe.
#pragma once

#include <optional>
#include <string>

#include "login/options.h"

namespace pake::cli::login {

struct ConnectOptions {
  LoginOptions login = {};
  std::string service = "echo";
  bool json = false;                             // events on stderr, where words are otherwise
  std::optional<std::string> export_label = {};  // print a key of the channel instead of passing data
  bool gives_key_to_service = false;             // which has to end with 0 first
  bool stdio = false;                            // bytes as they are, whatever stdin and stdout are
};

/// Returns the exit code.
[[nodiscard]] int connect(const ConnectOptions& options);

}  // namespace pake::cli::login
