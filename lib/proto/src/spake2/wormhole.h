// Private to the room: the parts of the transcript, for the vectors.
#pragma once

#include "pake/crypto/group.h"
#include "pake/proto/spake2/wormhole.h"
#include "spake_group.h"

namespace pake::spake2::wormhole {

/// w = OS2IP(HKDF-SHA256(pw, no salt, "SPAKE2 pw", 48 octets)) mod l. Errc::malformed if it is zero (never seen).
[[nodiscard]] Result<crypto::Scalar> password_to_scalar(Bytes password);

/// M, N and S, found from the seeds "M", "N" and "symmetric" by a map of its own.
[[nodiscard]] const crypto::Element& blinding_point(Side side);

//   A, B:       SHA256(pw) || SHA256(idA) || SHA256(idB) || X || Y || K
//   symmetric:  SHA256(pw) || SHA256(idSymmetric) || first || second || K
struct Transcript {
  Side side;
  Bytes password_hash, identities_hash;  // the latter of one or of two
  Bytes own, peer, K;                    // elements of 32 octets
  [[nodiscard]] SecretBuffer encode() const;
};

}  // namespace pake::spake2::wormhole
