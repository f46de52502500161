// `pake enroll` and `pake passwd`: a record is made, or replaced, inside a channel.
#pragma once

#include "login/options.h"

namespace pake::cli::login {

struct RecordOptions {
  LoginOptions login = {};
  SecretOptions code = {.kind = SecretKind::invitation};  // enroll
  SecretOptions chosen = {};                              // the new password
  crypto::KsfProfile ksf_floor = crypto::kDefaultKsfProfile;
};

/// Redeems an invitation. Returns the exit code.
[[nodiscard]] int enroll(const RecordOptions& options);

}  // namespace pake::cli::login
