// SPAKE2+, the verifier's side (RFC 9383, Section 3.3): it holds a record.
//
//   respond(shareP) -- shareV, confirmV --> AwaitingConfirmP::finish --> K_shared        any failure: spent
#pragma once

#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/proto/guess.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/registration.h"
#include "pake/proto/spake2plus/suite.h"
#include "pake/proto/state.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2plus {

/// A key that whoever sent shareP may not have.
struct UnprovenKey {
  SharedKey K_shared;
  GuessPermit permit;  // spent: refund it once the application's own confirmation has verified
};

/// shareV and confirmV are out; confirmP is to come.
class AwaitingConfirmP {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingConfirmP(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  /// Verifies confirmP, refunds the guess and gives the key out. Errc::malformed if confirmP has the wrong size,
  /// Errc::auth_failed if it is wrong.
  [[nodiscard]] Result<SharedKey> finish(Bytes confirmP) &&;

  /// For a protocol that confirms by itself, as TLS's Finished does: nothing has proved that the peer knows the
  /// password.
  [[nodiscard]] Result<UnprovenKey> finish_without_confirmation_peer_unproven() &&;

 private:
  StatePtr<State> state_;
};

struct VerifierResponse {
  Buffer shareV;    // to send, share_size bytes
  Buffer confirmV;  // to send behind it, tag_size bytes
  AwaitingConfirmP next;
};
/// Answers shareP. The permit is spent when this succeeds: with confirmV in hand the prover can tell whether its guess
/// was right. It goes back unused when this fails, since then nothing leaves. Errc::malformed if shareP is no
/// element or leads to the identity, Errc::unavailable if `rng` is broken.
[[nodiscard]] Result<VerifierResponse> respond(const Inputs& inputs, const VerifierRecord& record, GuessPermit permit,
                                               Bytes shareP, Rng& rng);

}  // namespace pake::spake2plus

PAKE_EXPORT_END
