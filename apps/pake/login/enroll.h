// `pake enroll`: an invitation's code opens a channel, and a record is made in it.
#pragma once

#include "login/options.h"

namespace pake::cli::login {

struct EnrollOptions {
  LoginOptions login = {};
  SecretOptions code = {.kind = SecretKind::invitation};
  crypto::KsfProfile ksf_floor = crypto::kDefaultKsfProfile;
};

/// Redeems an invitation. Returns the exit code.
[[nodiscard]] int enroll(const EnrollOptions& options);

}  // namespace pake::cli::login
