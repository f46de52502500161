// Private to the room: from the two shares to the keys (RFC 9382, Sections 3.3 and 4).
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/secret.h"
#include "pake/crypto/hash.h"
#include "pake/proto/spake2/spake2.h"
#include "spake_group.h"

namespace pake::spake2 {

/// The inside of a PasswordScalar, for the files of this protocol.
struct Access {
  static const crypto::Scalar& w(const PasswordScalar& of) { return of.w_; }
};

using Key = SecretUpTo<crypto::kMaxHashSize, struct KeyTag>;

struct Keys {
  SharedKey Ke;
  Key Ka, KcA, KcB;
};
//   TT = len(A) || A || len(B) || B || len(pA) || pA || len(pB) || pB || len(K) || K || len(w) || w
struct Transcript {
  Bytes A, B, pA, pB, K, w;
  [[nodiscard]] SecretBuffer TT() const;
};
[[nodiscard]] Keys derive_keys(Suite suite, Bytes TT, Bytes AAD);
/// MAC(Kc, TT) in tag_size bytes.
[[nodiscard]] Key compute_tag(Suite suite, const Key& Kc, Bytes TT);

}  // namespace pake::spake2
