// What the commands that log in have in common.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "login/destination.h"
#include "options/setting.h"
#include "pake/crypto/ksf.h"
#include "secrets/secret_source.h"

namespace pake::cli::login {

struct LoginOptions {
  Destination destination = {};
  SecretOptions password = {.by_program = true};
  std::chrono::seconds deadline{10};
  crypto::KsfProfile ksf_ceiling = crypto::kDefaultKsfProfile;
  std::optional<std::string> trace = {};
  bool remember = false;  // keep the server's key and the last ticket
};

/// NAME@HOST, the sources of a password, --deadline, --ksf-ceiling, --trace. `options` must stay where it is.
[[nodiscard]] Settings login_settings(LoginOptions& options);

/// --ksf-ceiling and its like.
[[nodiscard]] Value ksf_profile(crypto::KsfProfile& value);

}  // namespace pake::cli::login
