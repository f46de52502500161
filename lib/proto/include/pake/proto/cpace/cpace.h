// CPace (draft-irtf-cfrg-cpace-21): two parties with the same password-related string agree on a key.
//
//   initiator-responder
//     A: initiate -- Ya, ADa --> AwaitingResponse::finish -- Ta --> SharedKey
//     B: respond -- Yb, ADb, Tb --> AwaitingTag::finish --> SharedKey
//   symmetric, no roles
//     start_symmetric -- Y, AD --> AwaitingShare::confirm -- tag --> AwaitingTag::finish --> SharedKey
//
// The two modes give different keys on purpose. Every step consumes its state: another call on it is Errc::misuse, and
// after any failure everything secret has been wiped. The error is for the log; the peer is told only that it is over.
//
// How share, AD and tag travel is the application's business: `messages.h` has a framing, and an AD that both sides can
// compute need not travel at all.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/hash.h"
#include "pake/proto/cpace/messages.h"
#include "pake/proto/cpace/suite.h"
#include "pake/proto/guess.h"
#include "pake/proto/state.h"

PAKE_EXPORT_BEGIN

namespace pake::cpace {

/// What both sides must hold alike before they begin; all of it enters the generator.
struct Inputs {
  Suite suite = Suite::ristretto255_sha512;
  OwnedBytes PRS;       // the password, or what a KDF made of it
  OwnedBytes CI = {};   // channel identifier: who talks to whom about what; stays secret, may be empty
  OwnedBytes sid = {};  // public and never used twice; empty if the outer protocol has none (then see sid_output)
};

/// The intermediate session key, tag_size(suite) bytes: derive from it, do not encrypt with it.
using ISK = SecretUpTo<crypto::kMaxHashSize, struct ISKTag>;

/// What a run leaves once the peer has proved that it knows the password.
class SharedKey {
 public:
  /// HKDF (RFC 5869) with the suite's hash over the ISK: no salt, info = `label`, which names the purpose and is
  /// another one for every key. Errc::misuse unless `size` is 1 to 255 * tag_size(suite), or when this was moved from.
  [[nodiscard]] Result<SecretBuffer> session_key(std::string_view label, std::size_t size) const;

  [[nodiscard]] const ISK& isk() const noexcept { return isk_; }
  /// The peer's AD as it came. Where it carries an identity, comparing it with whom this side meant to talk to is the
  /// caller's duty (draft, "Party identifiers and relay attacks").
  [[nodiscard]] Bytes received_AD() const noexcept { return received_AD_; }
  /// H.hash("CPaceSidOutput" || transcript), tag_size(suite) bytes: a public, unique name for a run that had no sid.
  [[nodiscard]] Bytes sid_output() const noexcept { return sid_output_; }

 private:
  friend struct Agreement;
  SharedKey(crypto::HashId hash, ISK isk, Bytes received_AD, Buffer sid_output);

  crypto::HashId hash_;
  ISK isk_;
  Buffer received_AD_;
  Buffer sid_output_;
};

/// A key that whoever sat at the other end may not have.
struct UnprovenKey {
  ISK isk;
  Buffer sid_output;
  GuessPermit
      permit;  // spent: refund it once the application's own confirmation has verified; the initiator's is empty
};

/// A has sent (Ya, ADa) and waits for B's answer.
class AwaitingResponse {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingResponse(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Finished;
  /// Takes B's (Yb, ADb) and verifies Tb.
  /// Errc::malformed when Yb has the wrong size, is no group element, leads to the identity or is our own Ya, when ADb
  /// is longer than kMaxADSize or Tb has the wrong size; Errc::auth_failed when Tb is wrong.
  [[nodiscard]] Result<Finished> finish(const Share& peer, Bytes Tb) &&;

  /// The key without a proof that anyone else has it: a wrong password goes unnoticed, and without a confirmation of
  /// the application's own there is no forward secrecy. Errors as for `finish`, but for the tag's.
  [[nodiscard]] Result<UnprovenKey> finish_without_confirmation_peer_unproven(const Share& peer) &&;

 private:
  StatePtr<State> state_;
};

struct AwaitingResponse::Finished {
  Buffer Ta;  // to send, tag_size(suite) bytes
  SharedKey key;
};

struct Initiation {
  Buffer Ya;  // to send with ADa, share_size bytes
  AwaitingResponse next;
};
/// A begins. Errc::misuse when ADa is longer than kMaxADSize.
[[nodiscard]] Result<Initiation> initiate(const Inputs& inputs, Bytes ADa, Rng& rng);

/// B, or one side of the symmetric mode: its tag is out, the peer's is to come.
class AwaitingTag {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingTag(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  /// Verifies the peer's tag, refunds the guess and gives the key out.
  /// Errc::malformed when the tag has the wrong size, Errc::auth_failed when it is wrong.
  [[nodiscard]] Result<SharedKey> finish(Bytes peer_tag) &&;

 private:
  StatePtr<State> state_;
};

struct Response {
  Buffer Yb;  // to send with ADb and Tb, share_size bytes
  Buffer Tb;  // tag_size(suite) bytes
  AwaitingTag next;
};
/// B answers A's (Ya, ADa). The permit is spent when this succeeds: with Tb in hand A can tell whether its guess was
/// right. It goes back unused when this fails, since then nothing leaves.
/// Errc::malformed when Ya has the wrong size, is no group element, leads to the identity or equals Yb, or when ADa is
/// longer than kMaxADSize; Errc::misuse when ADb is.
[[nodiscard]] Result<Response> respond(const Inputs& inputs, GuessPermit permit, const Share& peer, Bytes ADb,
                                       Rng& rng);

struct UnprovenResponse {
  Buffer Yb;
  UnprovenKey key;
};
/// B without any proof from A, see AwaitingResponse::finish_without_confirmation_peer_unproven. Errors as for
/// `respond`.
[[nodiscard]] Result<UnprovenResponse> respond_without_confirmation_peer_unproven(const Inputs& inputs,
                                                                                  GuessPermit permit, const Share& peer,
                                                                                  Bytes ADb, Rng& rng);

/// One side of the symmetric mode has sent (Y, AD) and waits for the other's.
class AwaitingShare {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingShare(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Confirmation;
  /// Takes the peer's (Y, AD) and gives the own tag out, which spends the permit. Errc::malformed as in `respond`.
  [[nodiscard]] Result<Confirmation> confirm(const Share& peer) &&;

  /// See AwaitingResponse::finish_without_confirmation_peer_unproven.
  [[nodiscard]] Result<UnprovenKey> finish_without_confirmation_peer_unproven(const Share& peer) &&;

 private:
  StatePtr<State> state_;
};

struct AwaitingShare::Confirmation {
  Buffer tag;  // to send, tag_size(suite) bytes
  AwaitingTag next;
};

struct SymmetricStart {
  Buffer Y;  // to send with AD, share_size bytes
  AwaitingShare next;
};
/// One side of the symmetric mode begins; `AD` should be unique to the session (some random bytes in it).
/// Choice: both sides hold a permit. A share alone tells nothing about the password; a tag does, and here each side
/// sends its own before it has seen the other's, so each is the other's responder.
/// Errc::misuse when AD is longer than kMaxADSize.
[[nodiscard]] Result<SymmetricStart> start_symmetric(const Inputs& inputs, GuessPermit permit, Bytes AD, Rng& rng);

}  // namespace pake::cpace

PAKE_EXPORT_END
