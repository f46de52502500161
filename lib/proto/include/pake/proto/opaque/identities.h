// What both sides of OPAQUE bind into a record and a session.
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

/// Passwords, identities and contexts have at most this many bytes: each is hashed behind a length of two.
inline constexpr std::size_t kMaxInputSize = 65535;

/// The names of both sides. Empty means "not given": the side's public key takes its place. They are not sent, and both
/// sides must give the same at registration and at every login.
struct Identities {
  OwnedBytes client = {};
  OwnedBytes server = {};
};

/// Nh bytes that the client, and it alone, gets from its password at registration and at every login after it: a key
/// for data of its own.
using ExportKey = SecretUpTo<64, struct ExportKeyTag>;

}  // namespace pake::opaque

PAKE_EXPORT_END
