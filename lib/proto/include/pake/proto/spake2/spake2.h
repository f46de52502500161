// SPAKE2 (RFC 9382): two parties with the same password agree on a key. A speaks first.
//
//     A: initiate -- pA --> AwaitingShare::finish -- cA --> Ke
//     B: respond -- pB, cB --> AwaitingTag::finish --> Ke
//
// That is the order in which B confirms first. In the document's own order B holds cB back until cA has verified:
//
//     A: AwaitingShare::confirm -- cA --> AwaitingTag::finish --> Ke
//
// Every step consumes its state: another call on it is Errc::misuse. The error is for the log; the peer is told only
// that it is over.
#pragma once

#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/group.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/guess.h"
#include "pake/proto/spake2/suite.h"
#include "pake/proto/state.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2 {

/// What both sides must hold alike beside the password.
struct Inputs {
  OwnedBytes A = {}, B = {};  // identities; empty: absent
  OwnedBytes AAD = {};        // bound by the confirmation, and not by Ke
};

/// w: as good as the password, on both sides. The document leaves its computation to the profile.
class PasswordScalar {
 public:
  /// OS2IP(output) mod p, of the output of a memory-hard function: scalar_size + 8 bytes at least (else Errc::misuse).
  /// Errc::malformed if it is zero (never seen).
  [[nodiscard]] static Result<PasswordScalar> from_mhf_output(Suite suite, Bytes output);
  /// The same with scalar_size + 16 bytes of a KSF over the password, which is not empty (else Errc::misuse). For a
  /// worker thread.
  [[nodiscard]] static Result<PasswordScalar> from_password(Suite suite, const crypto::KsfParameters& mhf,
                                                            Bytes password);
  /// scalar_size bytes, big-endian, from 1 to p - 1; else Errc::malformed.
  [[nodiscard]] static Result<PasswordScalar> decode(Suite suite, Bytes bytes);
  [[nodiscard]] SecretBuffer encode() const;

  [[nodiscard]] Suite suite() const noexcept { return suite_; }

 private:
  friend struct Access;
  PasswordScalar(Suite suite, crypto::Scalar w) noexcept : suite_(suite), w_(std::move(w)) {}

  Suite suite_;
  crypto::Scalar w_;
};

/// A key that whoever sat at the other end may not have.
struct UnprovenKey {
  SharedKey Ke;
  GuessPermit
      permit;  // spent: refund it once the application's own confirmation has verified; the initiator's is empty
};

/// The own tag is out, the peer's is to come.
class AwaitingTag {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingTag(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  /// Verifies the peer's tag, refunds the guess and gives the key out.
  /// Errc::malformed if the tag has the wrong size, Errc::auth_failed if it is wrong.
  [[nodiscard]] Result<SharedKey> finish(Bytes peer_tag) &&;

 private:
  StatePtr<State> state_;
};

/// A has sent pA and waits for pB.
class AwaitingShare {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingShare(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Finished;
  /// Takes pB and verifies cB. Errc::malformed if pB is no element or leads to the identity, or cB has the wrong
  /// size; Errc::auth_failed if it is wrong.
  [[nodiscard]] Result<Finished> finish(Bytes pB, Bytes cB) &&;

  struct Confirmation;
  /// Takes pB and gives cA out before B has shown anything, which lets B see whether a guess of its own was right:
  /// hence a permit here too. Errors as for `finish`, but for the tag's.
  [[nodiscard]] Result<Confirmation> confirm(Bytes pB, GuessPermit permit) &&;

  /// The key without a proof that anyone else has it: a wrong password goes unnoticed.
  [[nodiscard]] Result<UnprovenKey> finish_without_confirmation_peer_unproven(Bytes pB) &&;

 private:
  StatePtr<State> state_;
};

struct AwaitingShare::Finished {
  Buffer cA;  // to send, tag_size bytes
  SharedKey Ke;
};
struct AwaitingShare::Confirmation {
  Buffer cA;
  AwaitingTag next;
};

struct Initiation {
  Buffer pA;  // to send, share_size bytes
  AwaitingShare next;
};
/// A begins. Errc::misuse if AAD is longer than 8,176 bytes (RFC 9382, Section 4), Errc::unavailable if `rng` is
/// broken.
[[nodiscard]] Result<Initiation> initiate(const Inputs& inputs, const PasswordScalar& w, Rng& rng);

struct Response {
  Buffer pB;  // to send, share_size bytes
  Buffer cB;  // to send behind it, or once cA has verified; tag_size bytes
  AwaitingTag next;
};
/// B answers pA. The permit is spent when this succeeds, and goes back unused when it fails: then nothing leaves.
/// Errc::malformed if pA is no element or leads to the identity, otherwise as for `initiate`.
[[nodiscard]] Result<Response> respond(const Inputs& inputs, const PasswordScalar& w, GuessPermit permit, Bytes pA,
                                       Rng& rng);

struct UnprovenResponse {
  Buffer pB;
  UnprovenKey key;
};
/// B without any proof from A; see AwaitingShare::finish_without_confirmation_peer_unproven. Errors as for `respond`.
[[nodiscard]] Result<UnprovenResponse> respond_without_confirmation_peer_unproven(const Inputs& inputs,
                                                                                  const PasswordScalar& w,
                                                                                  GuessPermit permit, Bytes pA,
                                                                                  Rng& rng);

}  // namespace pake::spake2

PAKE_EXPORT_END
