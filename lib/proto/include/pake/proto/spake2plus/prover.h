// SPAKE2+, the prover's side (RFC 9383, Section 3.3): it knows the password.
//
//   start -- shareP --> AwaitingShareV::finish -- confirmP --> K_shared         any failure: spent
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
#include "pake/proto/spake2plus/registration.h"
#include "pake/proto/spake2plus/suite.h"
#include "pake/proto/state.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2plus {

/// What both sides must hold alike, beside the password; it enters the transcript.
struct Inputs {
  OwnedBytes Context = {};
  Identities identities = {};
};

/// shareP is out; the verifier's answer is to come.
class AwaitingShareV {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingShareV(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Finished;
  /// Takes shareV and verifies confirmV.
  /// Errc::malformed if shareV is no element or leads to the identity, or confirmV has the wrong size;
  /// Errc::auth_failed if it is wrong. In both cases nothing may be sent.
  [[nodiscard]] Result<Finished> finish(Bytes shareV, Bytes confirmV) &&;

  /// For a protocol that confirms by itself, as TLS's Finished does: confirmV is not looked at, and whoever sent shareV
  /// may not know the password.
  [[nodiscard]] Result<SharedKey> finish_without_confirmation_peer_unproven(Bytes shareV) &&;

 private:
  StatePtr<State> state_;
};

struct AwaitingShareV::Finished {
  Buffer confirmP;  // to send, tag_size bytes
  SharedKey K_shared;
};

struct ProverStart {
  Buffer shareP;  // to send, share_size bytes
  AwaitingShareV next;
};
/// Errc::unavailable if `rng` is broken.
[[nodiscard]] Result<ProverStart> start(const Inputs& inputs, const ProverSecret& secret, Rng& rng);

}  // namespace pake::spake2plus

PAKE_EXPORT_END
