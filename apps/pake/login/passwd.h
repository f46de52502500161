// `pake passwd`: one's own password is replaced, inside a channel that the old one has opened.
#pragma once

#include "login/options.h"

namespace pake::cli::login {

struct PasswdOptions {
  LoginOptions login = {};  // the old password's sources among them
  SecretOptions chosen = {.kind = SecretKind::new_password};
  crypto::KsfProfile ksf_floor = crypto::kDefaultKsfProfile;
};

/// Returns the exit code.
[[nodiscard]] int passwd(const PasswdOptions& options);

}  // namespace pake::cli::login
