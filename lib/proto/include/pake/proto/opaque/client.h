// The client of OPAQUE: registration (RFC 9807, Section 5) and login (Section 6). Every step consumes its object; after
// an error the run is over and its secrets are wiped; a step taken twice is Errc::misuse.
//
//   ClientRegistration --create_registration_request--> AwaitingRegistrationResponse
//     --receive_registration_response--> StretchingRegistration --finalize_registration_request--> record, export_key
//   ClientLogin --generate_ke1--> AwaitingKE2 --receive_ke2--> StretchingLogin --generate_ke3--> KE3, keys
//
// The stretching step stands by itself so that its job can run on a worker thread.
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/machine.h"
#include "pake/proto/opaque/identities.h"
#include "pake/proto/opaque/suite.h"
#include "pake/proto/state.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

// --- Registration, over a connection that is confidential and whose server is authenticated.

struct RegistrationInputs {
  Identities identities = {};
  Given<crypto::KsfParameters> ksf;
};

struct RegistrationFinished {
  Buffer record;             // RegistrationRecord, to be sent to the server
  ExportKey export_key;      // Nh bytes
  Buffer server_public_key;  // Npk bytes
};

/// The KSF is to be run: `ksf_job().run()`, on any thread.
class StretchingRegistration {
 public:
  [[nodiscard]] Result<crypto::KsfJob> ksf_job() const;

  /// FinalizeRegistrationRequest (RFC 9807, Section 5.2.3), its second half. Draws the envelope nonce from `rng`.
  /// @param stretched  what the job gave
  [[nodiscard]] Result<RegistrationFinished> finalize_registration_request(crypto::Digest stretched, Rng& rng) &&;

 private:
  friend class AwaitingRegistrationResponse;
  struct PAKE_HIDDEN State;
  explicit StretchingRegistration(StatePtr<State> state) noexcept : state_(std::move(state)) {}
  StatePtr<State> state_;
};

class AwaitingRegistrationResponse {
 public:
  /// Checks the server's answer and computes what the KSF is to stretch.
  /// @param registration_response  exactly sizes(suite).registration_response() bytes
  /// @return  Errc::misuse if an identity is longer than kMaxInputSize; Errc::malformed if the response is not
  ///          one, or only reflects the request
  [[nodiscard]] Result<StretchingRegistration> receive_registration_response(Bytes registration_response,
                                                                             const RegistrationInputs& inputs) &&;

  /// `receive_registration_response`, the KSF on this thread and the second half, with the errors of all three
  /// (Errc::unavailable: the KSF lacked memory).
  [[nodiscard]] Result<RegistrationFinished> finalize_registration_request(Bytes registration_response,
                                                                           const RegistrationInputs& inputs,
                                                                           Rng& rng) &&;

 private:
  friend class ClientRegistration;
  struct PAKE_HIDDEN State;
  explicit AwaitingRegistrationResponse(StatePtr<State> state) noexcept : state_(std::move(state)) {}
  StatePtr<State> state_;
};

struct RegistrationRequested {
  Buffer registration_request;
  AwaitingRegistrationResponse next;
};

class ClientRegistration {
 public:
  /// @param password  already in the form that every client of this user computes (normalised above this layer)
  ClientRegistration(SuiteId suite, SecretBuffer password);

  /// CreateRegistrationRequest (RFC 9807, Section 5.2.1). Draws the blind from `rng`.
  /// @return  sizes(suite).registration_request() bytes; Errc::misuse if the password is longer than kMaxInputSize
  [[nodiscard]] Result<RegistrationRequested> create_registration_request(Rng& rng) &&;

 private:
  struct PAKE_HIDDEN State;
  StatePtr<State> state_;
};

// --- Login.

/// What the client has to know beside its password.
struct ClientLoginInputs {
  OwnedBytes context = {};
  Identities identities = {};
  Given<crypto::KsfParameters> ksf;
};

/// The server has proved that it holds the record of this password.
struct LoginFinished {
  Buffer ke3;                // to be sent: without it the server has no key
  SessionKey session_key;    // Nx bytes
  ExportKey export_key;      // Nh bytes, those of the registration
  Buffer server_public_key;  // Npk bytes
};

/// The KSF is to be run: `ksf_job().run()`, on any thread.
class StretchingLogin {
 public:
  [[nodiscard]] Result<crypto::KsfJob> ksf_job() const;

  /// GenerateKE3 (RFC 9807, Section 6.2.3), its second half.
  /// @param stretched  what the job gave
  /// @return  Errc::auth_failed if the envelope or server_mac is wrong: another password, record, KSF, context or
  ///          identity, or no server
  [[nodiscard]] Result<LoginFinished> generate_ke3(crypto::Digest stretched) &&;

 private:
  friend class AwaitingKE2;
  struct PAKE_HIDDEN State;
  explicit StretchingLogin(StatePtr<State> state) noexcept : state_(std::move(state)) {}
  StatePtr<State> state_;
};

class AwaitingKE2 {
 public:
  /// Checks KE2's form and computes what the KSF is to stretch.
  /// @param ke2  exactly sizes(suite).KE2() bytes: 320 for ristretto255
  /// @return  Errc::misuse if the context or an identity is longer than kMaxInputSize; Errc::malformed if `ke2`
  /// is
  ///          no KE2, or its evaluated_message only reflects the request
  [[nodiscard]] Result<StretchingLogin> receive_ke2(Bytes ke2, const ClientLoginInputs& inputs) &&;

  /// `receive_ke2`, the KSF on this thread and `generate_ke3`, with the errors of all three (Errc::unavailable: the KSF
  /// lacked memory).
  [[nodiscard]] Result<LoginFinished> generate_ke3(Bytes ke2, const ClientLoginInputs& inputs) &&;

 private:
  friend class ClientLogin;
  struct PAKE_HIDDEN State;
  explicit AwaitingKE2(StatePtr<State> state) noexcept : state_(std::move(state)) {}
  StatePtr<State> state_;
};

struct LoginStarted {
  Buffer ke1;
  AwaitingKE2 next;
};

class ClientLogin {
 public:
  /// @param password  as at registration
  ClientLogin(SuiteId suite, SecretBuffer password);

  /// GenerateKE1 (RFC 9807, Section 6.2.1). Draws the blind, the nonce and the key share's seed from `rng`, in this
  /// order.
  /// @return  KE1, 96 bytes for ristretto255; Errc::misuse if the password is longer than kMaxInputSize
  [[nodiscard]] Result<LoginStarted> generate_ke1(Rng& rng) &&;

 private:
  struct PAKE_HIDDEN State;
  StatePtr<State> state_;
};

}  // namespace pake::opaque

PAKE_EXPORT_END
