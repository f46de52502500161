// Private to the room: the client's envelope (RFC 9807, Section 4.1), from which a password recovers its private key.
#pragma once

#include "opaque/suite.h"
#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/proto/opaque/identities.h"

namespace pake::opaque {

struct Stored {
  PublicKey client_public_key;
  Digest masking_key;
  Buffer envelope;
  ExportKey export_key;
};
/// Store (Section 4.1.2). Draws the envelope nonce.
[[nodiscard]] Result<Stored> store(const Suite& suite, const Digest& randomized_password, Bytes server_public_key,
                                   const Identities& identities, Rng& rng);

struct Recovered {
  KeyPair client;
  ExportKey export_key;
};
/// Recover (Section 4.1.3): Errc::auth_failed if auth_tag is not that of this password, key and identities.
/// @param envelope  Nn + Nm bytes
[[nodiscard]] Result<Recovered> recover(const Suite& suite, const Digest& randomized_password, Bytes server_public_key,
                                        Bytes envelope, const Identities& identities);

}  // namespace pake::opaque
