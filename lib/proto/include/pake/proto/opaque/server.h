// The server of OPAQUE: registration (RFC 9807, Section 5) and login (Section 6). Every step of a login consumes its
// object; after an error the run is over and its secrets are wiped; a step taken twice is Errc::misuse.
//
//   ServerLogin --generate_ke2--> AwaitingKE3 --server_finish--> session_key       the keys are in this process
//   ServerLogin --receive_ke1--> AwaitingKE3, or                                   the keys are with any holder
//                                AwaitingKeyOperation --generate_ke2--> AwaitingKE3
#pragma once

#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"
#include "pake/proto/opaque/identities.h"
#include "pake/proto/opaque/messages.h"
#include "pake/proto/opaque/server_keys.h"
#include "pake/proto/opaque/suite.h"
#include "pake/proto/state.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

// --- Registration. What the client sends back is `RegistrationRecord::decode`d, which validates it, and stored.
//
// A registration answer is an OPRF answer: it evaluates the OPRF key of its credential_identifier on whatever the
// client has blinded. Whoever has recorded one login under an identifier, or stolen its record, can test one password
// with each answer. So an answer costs a guess that is never given back, or goes to an identifier that nobody has used
// before.

/// A credential_identifier for one registration: 32 random bytes, to be stored with the record.
class FreshIdentifier {
 public:
  [[nodiscard]] static FreshIdentifier draw(Rng& rng);
  FreshIdentifier(FreshIdentifier&&) = default;
  FreshIdentifier& operator=(FreshIdentifier&&) = default;

  /// Empty once it has been moved from.
  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }

 private:
  FreshIdentifier() = default;
  Buffer bytes_;
};

/// CreateRegistrationResponse (RFC 9807, Section 5.2.2), asking `keys` on this thread.
/// @param registration_request   exactly sizes(suite).registration_request() bytes
/// @param credential_identifier  unique to this credential, for good; 1 to kMaxInputSize bytes
/// @param permit  of a ledger that the identifier's other registrations count in, and that strangers cannot drain;
/// spent
///                when this succeeds, and never given back
/// @return  sizes(suite).registration_response() bytes; Errc::malformed if the request is invalid, Errc::misuse if the
///          identifier is empty or too long, or the error of `keys`
[[nodiscard]] Result<Buffer> create_registration_response(Bytes registration_request, const KeyHolder& keys,
                                                          Bytes credential_identifier, GuessPermit permit);

struct FreshRegistration {
  Buffer registration_response;
  Buffer credential_identifier;  // to be stored with the record
};
/// The same under an identifier of its own. Errors as above; Errc::misuse for one that has been used.
[[nodiscard]] Result<FreshRegistration> create_registration_response(Bytes registration_request, const KeyHolder& keys,
                                                                     FreshIdentifier identifier);

/// The same in two halves, if the answer comes later; the first one spends the permit.
[[nodiscard]] Result<KeyOperation> registration_key_operation(SuiteId suite, Bytes registration_request,
                                                              Bytes credential_identifier, GuessPermit permit);
[[nodiscard]] Result<Buffer> create_registration_response(const KeyHolder& keys, const KeyOperationAnswer& answer);

/// The record that answers for unknown names (RFC 9807, Section 10.9): a valid public key, a random masking key, an
/// envelope of zeros. Made once, when the server's keys are, and kept with them: making it during a login would show.
[[nodiscard]] Result<RegistrationRecord> fake_record(SuiteId suite, Rng& rng);

// --- Login.

/// What the server has to know of the client who logs in.
struct ServerLoginInputs {
  Borrowed<RegistrationRecord> record;  // of the user, or the fake one: nothing below knows which
  OwnedBytes credential_identifier;     // as at registration; for an unknown name what it would have been
  OwnedBytes context = {};
  Identities identities = {};
};

/// KE2 has been sent, and the client may know by now whether its guess was right.
class AwaitingKE3 {
 public:
  /// ServerFinish (RFC 9807, Section 6.2.4). Gives the guess back.
  /// @param ke3  exactly sizes(suite).KE3() bytes, else Errc::malformed
  /// @return     session_key, Nx bytes; Errc::auth_failed if the client did not prove the password
  [[nodiscard]] Result<SessionKey> server_finish(Bytes ke3) &&;

 private:
  friend struct Answering;
  struct PAKE_HIDDEN State;
  explicit AwaitingKE3(StatePtr<State> state) noexcept : state_(std::move(state)) {}
  StatePtr<State> state_;
};

struct LoginAnswered {
  Buffer ke2;
  AwaitingKE3 next;
};

/// KE1 is good; the holder of the keys, which is not this process, is to be asked.
class AwaitingKeyOperation {
 public:
  /// The question, for any thread; it keeps the holder alive. Errc::misuse once the state is spent.
  [[nodiscard]] Result<KeyJob> key_job() const;

  /// GenerateKE2 (RFC 9807, Section 6.2.2), its second half. Spends the guess.
  /// @return  KE2; Errc::unavailable if the answer is invalid
  [[nodiscard]] Result<LoginAnswered> generate_ke2(const KeyOperationAnswer& answer) &&;

 private:
  friend class ServerLogin;
  struct PAKE_HIDDEN State;
  explicit AwaitingKeyOperation(StatePtr<State> state) noexcept : state_(std::move(state)) {}
  StatePtr<State> state_;
};

/// What follows from KE1.
using KE1Answer = std::variant<LoginAnswered, AwaitingKeyOperation>;

struct LoginToAnswer;

class ServerLogin {
 public:
  ServerLogin(SuiteId suite, GuessPermit permit);

  /// GenerateKE2 (RFC 9807, Section 6.2.2). The reply does not show whether `record` is real: the same work, the same
  /// randomness, the same sizes. Spends the guess. Draws masking_nonce, server_nonce and the key share's seed from
  /// `rng`, in this order.
  /// @param ke1  exactly sizes(suite).KE1() bytes: 96 for ristretto255
  /// @return     KE2 (320 bytes for ristretto255) and the state awaiting KE3. Errc::misuse if `keys` is of another
  ///             suite, or context, identifier or an identity is longer than kMaxInputSize; Errc::malformed if `ke1`
  ///             is no KE1
  [[nodiscard]] Result<LoginAnswered> generate_ke2(Bytes ke1, const ServerLoginInputs& inputs, const ServerKeys& keys,
                                                   Rng& rng) &&;

  /// The same with any holder of the keys: answered if they are in this process, else the holder is to be asked. Errors
  /// as above; Errc::misuse if `keys` is null.
  [[nodiscard]] Result<KE1Answer> receive_ke1(Bytes ke1, const ServerLoginInputs& inputs,
                                              std::shared_ptr<const KeyHolder> keys, Rng& rng) &&;

 private:
  friend std::vector<Result<LoginAnswered>> generate_ke2(std::span<LoginToAnswer>, const ServerKeys&, Rng&);
  struct PAKE_HIDDEN State;
  StatePtr<State> state_;
};

/// One login of a batch: what `ServerLogin::generate_ke2` takes. `ke1` and the record are read during the call.
struct LoginToAnswer {
  ServerLogin login;
  Bytes ke1;
  ServerLoginInputs inputs;
};
/// GenerateKE2 of several logins of one suite whose KE1s are there at once, in less time than one after the other:
/// their points fill the lanes of a vector unit. Each is answered, or fails, as it would be alone, with the randomness
/// that it would draw in its turn.
[[nodiscard]] std::vector<Result<LoginAnswered>> generate_ke2(std::span<LoginToAnswer> batch, const ServerKeys& keys,
                                                              Rng& rng);

}  // namespace pake::opaque

PAKE_EXPORT_END
