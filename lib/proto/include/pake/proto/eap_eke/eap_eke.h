// EAP-EKE (RFC 6124): DH-EKE under a password, in EAP packets. The server speaks first.
//
//   server  start -- ID/Request -->  receive -->  commit -- Commit/Request -->  receive -- Confirm/Request -->
//           receive --> keys
//   peer    AwaitingIdRequest::receive -- ID/Response -->  receive -- Commit/Response -->
//           receive -- Confirm/Response --> keys
//
// Every step consumes its state: another call on it is Errc::misuse. A step that fails may leave a Failure packet to
// send; the run is over all the same. EAP's own Success and Failure packets are the surroundings' business.
#pragma once

#include <cstdint>
#include <expected>
#include <utility>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/proto/eap_eke/packets.h"
#include "pake/proto/guess.h"
#include "pake/proto/state.h"

PAKE_EXPORT_BEGIN

namespace pake::eap_eke {

/// How a run ended that did not succeed.
struct Failed {
  Errc error;
  Buffer packet = {};  // to send; empty: nothing
};
template <class T>
using Step = std::expected<T, Failed>;

/// In which order the nonces enter the exported keys.
enum class ExportedKeys : std::uint8_t {
  rfc6124,  // Nonce_P | Nonce_S
  hostapd,  // Nonce_S | Nonce_P: what hostapd and wpa_supplicant derive. The rest of the run is the same
};

/// What a run leaves once the other side has proved that it knows the password.
struct Keys {
  Secret<64, struct MskTag> MSK;
  Secret<64, struct EmskTag> EMSK;
  Buffer received_channel_binding;  // the other side's CBValues, authenticated
};

struct Config {
  /// A server's offers; what a peer takes, the most wanted first. Never what one would not accept: nothing else
  /// prevents a downgrade.
  std::vector<Proposal> proposals = std::vector<Proposal>(1);  // a list in braces makes GCC 12 warn
  Identity identity = {};
  Buffer channel_binding = {};  // CBValues
  ExportedKeys exported_keys = ExportedKeys::rfc6124;
};

// --- The server

class AwaitingConfirmResponse {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingConfirmResponse(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  /// Verifies PNonce_S and Auth_P, refunds the guess and gives the keys out.
  [[nodiscard]] Step<Keys> receive(Bytes packet) &&;

 private:
  StatePtr<State> state_;
};

class AwaitingCommitResponse {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingCommitResponse(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Confirmation;
  /// Verifies PNonce_P: here a wrong password shows.
  [[nodiscard]] Step<Confirmation> receive(Bytes packet, Rng& rng) &&;

 private:
  StatePtr<State> state_;
};
struct AwaitingCommitResponse::Confirmation {
  Buffer packet;  // Confirm/Request
  AwaitingConfirmResponse next;
};

/// The peer's name and proposal are known; its password is not yet.
class AwaitingPassword {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingPassword(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Commitment;
  /// The permit is spent when this succeeds. For a name without a password give one that nobody has (the machine does):
  /// the run goes on and ends in an authentication failure.
  /// @param password  normalised (SASLprep); a balanced PAKE has to have it, or something as good. Errc::misuse if it
  /// is
  ///                  empty
  [[nodiscard]] Step<Commitment> commit(Bytes password, GuessPermit permit, Rng& rng) &&;

 private:
  StatePtr<State> state_;
};
struct AwaitingPassword::Commitment {
  Buffer packet;  // Commit/Request
  AwaitingCommitResponse next;
};

class AwaitingIdResponse {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingIdResponse(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Identified;
  [[nodiscard]] Step<Identified> receive(Bytes packet) &&;

 private:
  StatePtr<State> state_;
};
struct AwaitingIdResponse::Identified {
  Identity peer;
  Proposal proposal;
  AwaitingPassword next;
};

struct ServerStart {
  Buffer packet;  // ID/Request
  AwaitingIdResponse next;
};
/// @param identifier  EAP's, of the first request; each later one takes the next
/// Errc::misuse if there is no proposal or a wrong one, or identity or channel binding will not do.
[[nodiscard]] Result<ServerStart> start(Config config, std::uint8_t identifier);

// --- The peer

class AwaitingConfirmRequest {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingConfirmRequest(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Finished;
  /// Verifies PNonce_PS and Auth_S, refunds the guess and gives the keys out.
  [[nodiscard]] Step<Finished> receive(Bytes packet, Rng& rng) &&;

 private:
  StatePtr<State> state_;
};
struct AwaitingConfirmRequest::Finished {
  Buffer packet;  // Confirm/Response
  Keys keys;
};

class AwaitingCommitRequest {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingCommitRequest(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Commitment;
  /// Commits first to what the server can check a guess against: hence a permit, spent when this succeeds.
  [[nodiscard]] Step<Commitment> receive(Bytes packet, GuessPermit permit, Rng& rng) &&;

 private:
  StatePtr<State> state_;
};
struct AwaitingCommitRequest::Commitment {
  Buffer packet;  // Commit/Response
  AwaitingConfirmRequest next;
};

class AwaitingIdRequest {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingIdRequest(StatePtr<State> state) noexcept : state_(std::move(state)) {}
  /// Errc::misuse as for the server's `start`, and for an empty password. It is normalised (SASLprep).
  [[nodiscard]] static Result<AwaitingIdRequest> make(Config config, Bytes password);

  struct Answer;
  /// Takes the first of its own proposals that is offered; with none, a Failure of that code.
  [[nodiscard]] Step<Answer> receive(Bytes packet) &&;

 private:
  StatePtr<State> state_;
};
struct AwaitingIdRequest::Answer {
  Buffer packet;    // ID/Response
  Identity server;  // not authenticated yet
  Proposal proposal;
  AwaitingCommitRequest next;
};

}  // namespace pake::eap_eke

PAKE_EXPORT_END
