// Private to the room: from the two shares to the keys (RFC 9383, Sections 3.3 and 3.4).
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/secret.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/suite.h"
#include "spake_group.h"

namespace pake::spake2plus {

/// The insides of what is stored, for the files of this protocol.
struct Access {
  static const crypto::Scalar& w0(const ProverSecret& secret) { return secret.w0_; }
  static const crypto::Scalar& w1(const ProverSecret& secret) { return secret.w1_; }
  static const crypto::Scalar& w0(const VerifierRecord& record) { return record.w0_; }
  static const crypto::Element& L(const VerifierRecord& record) { return record.L_; }
  static ProverSecret secret(Suite suite, crypto::Scalar w0, crypto::Scalar w1) {
    return {suite, std::move(w0), std::move(w1)};
  }
  static VerifierRecord record(Suite suite, crypto::Scalar w0, crypto::Element L) {
    return {suite, std::move(w0), std::move(L)};
  }
};

struct Transcript {
  Suite suite;
  Bytes Context, idProver, idVerifier, shareP, shareV, Z, V, w0;

  //   TT = len(Context) || Context || len(idProver) || idProver || len(idVerifier) || idVerifier
  //     || len(M) || M || len(N) || N || len(shareP) || shareP || len(shareV) || shareV
  //     || len(Z) || Z || len(V) || V || len(w0) || w0
  [[nodiscard]] SecretBuffer TT() const;
};

using Key = SecretUpTo<crypto::kMaxHashSize, struct KeyTag>;

struct Keys {
  Key K_main;  // draft-02: Ka
  Key K_confirmP, K_confirmV;
  SharedKey K_shared;  // draft-02: Ke
};
[[nodiscard]] Keys derive_keys(Suite suite, Bytes TT);

/// MAC(K_confirm, share) in tag_size bytes.
[[nodiscard]] Key compute_tag(Suite suite, const Key& K_confirm, Bytes share);

/// What follows from both shares, held back until the peer's tag has verified.
struct Agreement {
  SharedKey K_shared;
  Key confirmP, confirmV;

  [[nodiscard]] static Agreement reach(const Transcript& transcript);
};

/// A tag as it is sent.
[[nodiscard]] Buffer tag_to_send(const Key& tag);
/// Errc::malformed or Errc::auth_failed unless `received` is the tag.
[[nodiscard]] Status verify_tag(const Key& tag, Bytes received);

}  // namespace pake::spake2plus
