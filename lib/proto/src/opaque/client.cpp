#include "pake/proto/opaque/client.h"

#include <algorithm>

#include "opaque/envelope.h"
#include "opaque/key_schedule.h"
#include "opaque/suite.h"
#include "pake/base/ct.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/opaque/messages.h"
#include "pake/proto/oprf/oprf.h"

namespace pake::opaque {
namespace {

/// A password on its way through the OPRF.
struct Blinded {
  SecretBuffer password;
  crypto::Scalar blind;
  Buffer blinded_message;
};

// RFC 9807, Sections 5.2.1 and 6.3.2.1, CreateRegistrationRequest and CreateCredentialRequest.
//   (blind, blinded_element) = Blind(password)
//   blinded_message          = SerializeElement(blinded_element)
Result<Blinded> blind_password(const Suite& suite, SecretBuffer password, Rng& rng) {
  PAKE_TRYV(check_size(password.reveal()));
  PAKE_TRY(auto blinded, oprf::blind(suite.oprf(), password.reveal(), rng));
  return Blinded{.password = std::move(password),
                 .blind = std::move(blinded.blind),
                 .blinded_message = suite.encode_oprf_element(blinded.blinded_element)};
}

// RFC 9807, Sections 5.2.3 and 6.3.2.3.
//   oprf_output = Finalize(password, blind, evaluated_element)
// Differs: a server that sends our own element back (an OPRF key of 1) is refused; no honest one does.
Result<Digest> oprf_output(const Suite& suite, const Blinded& blinded, const OprfElement& evaluated_message) {
  if (std::ranges::equal(suite.encode_oprf_element(evaluated_message), blinded.blinded_message))
    return fail(Errc::malformed);
  return oprf::finalize(suite.oprf(), blinded.password.reveal(), blinded.blind, evaluated_message);
}

struct Credentials {
  KeyPair client;
  PublicKey server_public_key;
  ExportKey export_key;
};

// RFC 9807, Section 6.3.2.3, RecoverCredentials.
//   masking_key             = Expand(randomized_password, "MaskingKey", Nh)
//   credential_response_pad = Expand(masking_key, concat(masking_nonce, "CredentialResponsePad"), Npk + Nn + Nm)
//   concat(server_public_key, envelope)   = xor(credential_response_pad, masked_response)
//   (client_private_key, ..., export_key) = Recover(randomized_password, server_public_key, envelope, ...)
Result<Credentials> recover_credentials(const Suite& suite, const Digest& randomized_password,
                                        const CredentialResponse& response, const Identities& identities) {
  const auto pad = credential_response_pad(suite, masking_key(suite, randomized_password), response.masking_nonce);
  const auto unmasked = mask(pad, response.masked_response);
  const auto server_public_key_bytes = unmasked.reveal().first(suite.sizes().Npk);
  const auto envelope = unmasked.reveal().subspan(suite.sizes().Npk);
  PAKE_TRY(auto recovered, recover(suite, randomized_password, server_public_key_bytes, envelope, identities));

  // Only now: before auth_tag was right these bytes were noise, as they are for every wrong password.
  declassify(server_public_key_bytes);
  auto server_public_key = suite.decode_public_key(server_public_key_bytes);
  if (!server_public_key) return fail(Errc::auth_failed);
  return Credentials{.client = std::move(recovered.client),
                     .server_public_key = *std::move(server_public_key),
                     .export_key = std::move(recovered.export_key)};
}

/// Null, as if the step had been taken, for a suite that there is not.
template <class State>
StatePtr<State> state_in(SuiteId suite, SecretBuffer password) {
  if (!check_suite(suite)) return {nullptr, [](State*) {}};
  return make_state(State{.suite = Suite(suite), .password = std::move(password)});
}

// A digest that was moved from is empty: with it the record would not depend on any stretching.
Status check_stretched(const Digest& stretched) {
  if (stretched.empty()) return fail(Errc::misuse);
  return {};
}

crypto::KsfJob job_of(const crypto::KsfParameters& ksf, const Digest& oprf_output) {
  return {ksf, Digest::copy_of(oprf_output.reveal())};
}

}  // namespace

// --- Registration.

struct ClientRegistration::State {
  Suite suite;
  SecretBuffer password;
};

struct AwaitingRegistrationResponse::State {
  Suite suite;
  Blinded blinded;
};

struct StretchingRegistration::State {
  Suite suite;
  Digest oprf_output;
  crypto::KsfParameters ksf;
  Buffer server_public_key;
  OwnedIdentities identities;
};

ClientRegistration::ClientRegistration(SuiteId suite, SecretBuffer password)
    : state_(state_in<State>(suite, std::move(password))) {}

Result<RegistrationRequested> ClientRegistration::create_registration_request(Rng& rng) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(auto blinded, blind_password(state->suite, std::move(state->password), rng));
  auto request = blinded.blinded_message;
  return RegistrationRequested{.registration_request = std::move(request),
                               .next = AwaitingRegistrationResponse(make_state(AwaitingRegistrationResponse::State{
                                   .suite = state->suite, .blinded = std::move(blinded)}))};
}

// RFC 9807, Section 5.2.3, FinalizeRegistrationRequest.
//   oprf_output           = Finalize(password, blind, evaluated_element)
//   stretched_oprf_output = Stretch(oprf_output)
//   randomized_password   = Extract("", concat(oprf_output, stretched_oprf_output))
//   (envelope, client_public_key, masking_key, export_key) =
//                           Store(randomized_password, server_public_key, server_identity, client_identity)
Result<StretchingRegistration> AwaitingRegistrationResponse::receive_registration_response(
    Bytes registration_response, const RegistrationInputs& inputs) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRYV(check_sizes(inputs.identities));
  const auto& suite = state->suite;
  PAKE_TRY(const auto response, RegistrationResponse::decode(suite.id(), registration_response));
  PAKE_TRY(auto output, oprf_output(suite, state->blinded, response.evaluated_message));
  return StretchingRegistration(
      make_state(StretchingRegistration::State{.suite = suite,
                                               .oprf_output = std::move(output),
                                               .ksf = inputs.ksf,
                                               .server_public_key = suite.encode_to_send(response.server_public_key),
                                               .identities = OwnedIdentities(inputs.identities)}));
}

Result<crypto::KsfJob> StretchingRegistration::ksf_job() const {
  if (!state_) return fail(Errc::misuse);
  return job_of(state_->ksf, state_->oprf_output);
}

Result<RegistrationFinished> StretchingRegistration::finalize_registration_request(Digest stretched, Rng& rng) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRYV(check_stretched(stretched));
  const auto& suite = state->suite;
  const auto password = randomized_password(suite, state->oprf_output, stretched);
  PAKE_TRY(auto stored, store(suite, password, state->server_public_key, state->identities.view(), rng));
  const RegistrationRecord record{.client_public_key = std::move(stored.client_public_key),
                                  .masking_key = std::move(stored.masking_key),
                                  .envelope = std::move(stored.envelope)};
  return RegistrationFinished{.record = record.encode(suite.id()),
                              .export_key = std::move(stored.export_key),
                              .server_public_key = std::move(state->server_public_key)};
}

Result<RegistrationFinished> AwaitingRegistrationResponse::finalize_registration_request(
    Bytes registration_response, const RegistrationInputs& inputs, Rng& rng) && {
  PAKE_TRY(auto stretching, std::move(*this).receive_registration_response(registration_response, inputs));
  PAKE_TRY(const auto job, stretching.ksf_job());
  PAKE_TRY(auto stretched, job.run());
  return std::move(stretching).finalize_registration_request(std::move(stretched), rng);
}

// --- Login.

struct ClientLogin::State {
  Suite suite;
  SecretBuffer password;
};

struct AwaitingKE2::State {
  Suite suite;
  Blinded blinded;
  PrivateKey client_secret;
  Buffer ke1;
};

struct StretchingLogin::State {
  Suite suite;
  Digest oprf_output;
  crypto::KsfParameters ksf;
  PrivateKey client_secret;
  Buffer ke1;
  KE2 ke2;
  Buffer context;
  OwnedIdentities identities;
};

ClientLogin::ClientLogin(SuiteId suite, SecretBuffer password) : state_(state_in<State>(suite, std::move(password))) {}

// RFC 9807, Section 6.2.1, GenerateKE1, with AuthClientStart (Section 6.4.3).
//   request, blind                          = CreateCredentialRequest(password)
//   client_nonce                            = random(Nn)
//   (client_secret, client_public_keyshare) = DeriveDiffieHellmanKeyPair(random(Nseed))
//   KE1                                     = request || client_nonce || client_public_keyshare
Result<LoginStarted> ClientLogin::generate_ke1(Rng& rng) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  const auto& suite = state->suite;
  PAKE_TRY(auto blinded, blind_password(suite, std::move(state->password), rng));
  const NoncesAndSeed<1> random(rng);
  const auto& client_nonce = random.nonces[0];
  PAKE_TRY(auto ephemeral, suite.derive_diffie_hellman_key_pair(random.seed));
  auto ke1 = Writer(suite.sizes().KE1())
                 .put(blinded.blinded_message)
                 .put(client_nonce)
                 .put(suite.encode_to_send(ephemeral.public_key))
                 .take();
  return LoginStarted{
      .ke1 = ke1,
      .next = AwaitingKE2(make_state(AwaitingKE2::State{.suite = suite,
                                                        .blinded = std::move(blinded),
                                                        .client_secret = std::move(ephemeral.private_key),
                                                        .ke1 = ke1}))};
}

Result<StretchingLogin> AwaitingKE2::receive_ke2(Bytes ke2, const ClientLoginInputs& inputs) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRYV(check_size(inputs.context));
  PAKE_TRYV(check_sizes(inputs.identities));
  const auto& suite = state->suite;
  PAKE_TRY(auto message, KE2::decode(suite.id(), ke2));
  PAKE_TRY(auto output, oprf_output(suite, state->blinded, message.credential_response.evaluated_message));
  return StretchingLogin(make_state(StretchingLogin::State{.suite = suite,
                                                           .oprf_output = std::move(output),
                                                           .ksf = inputs.ksf,
                                                           .client_secret = std::move(state->client_secret),
                                                           .ke1 = std::move(state->ke1),
                                                           .ke2 = std::move(message),
                                                           .context = to_buffer(inputs.context),
                                                           .identities = OwnedIdentities(inputs.identities)}));
}

Result<crypto::KsfJob> StretchingLogin::ksf_job() const {
  if (!state_) return fail(Errc::misuse);
  return job_of(state_->ksf, state_->oprf_output);
}

// RFC 9807, Section 6.2.3, GenerateKE3, with AuthClientFinalize (Section 6.4.3).
//   ikm  = DH(client_secret, server_public_keyshare) || DH(client_secret, server_public_key)
//          || DH(client_private_key, server_public_keyshare)
//   KE3  = MAC(Km3, Hash(preamble || server_mac)), once server_mac has proved to be MAC(Km2, Hash(preamble))
Result<LoginFinished> StretchingLogin::generate_ke3(Digest stretched) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRYV(check_stretched(stretched));
  const auto& suite = state->suite;
  const auto& ke2 = state->ke2;
  const auto identities = state->identities.view();
  PAKE_TRY(auto credentials, recover_credentials(suite, randomized_password(suite, state->oprf_output, stretched),
                                                 ke2.credential_response, identities));
  PAKE_TRY(const auto ikm, shared_secrets(suite, {{{&state->client_secret, &ke2.server_public_keyshare},
                                                   {&state->client_secret, &credentials.server_public_key},
                                                   {&credentials.client.private_key, &ke2.server_public_keyshare}}}));
  const auto client_public_key = suite.encode_public_key(credentials.client.public_key);
  auto server_public_key = suite.encode_to_send(credentials.server_public_key);
  auto proofs =
      prove(suite, ikm,
            preamble(suite, {.context = state->context,
                             .client_identity = identity_or_key(identities.client, client_public_key.reveal()),
                             .ke1 = state->ke1,
                             .server_identity = identity_or_key(identities.server, server_public_key),
                             .credential_response = ke2.credential_response,
                             .server_nonce = ke2.server_nonce,
                             .server_public_keyshare = ke2.server_public_keyshare})
                .reveal());
  if (!ct_equal(proofs.server_mac.reveal(), ke2.server_mac)) return fail(Errc::auth_failed);
  declassify(proofs.client_mac.reveal());
  return LoginFinished{.ke3 = to_buffer(proofs.client_mac.reveal()),
                       .session_key = std::move(proofs.session_key),
                       .export_key = std::move(credentials.export_key),
                       .server_public_key = std::move(server_public_key)};
}

Result<LoginFinished> AwaitingKE2::generate_ke3(Bytes ke2, const ClientLoginInputs& inputs) && {
  PAKE_TRY(auto stretching, std::move(*this).receive_ke2(ke2, inputs));
  PAKE_TRY(const auto job, stretching.ksf_job());
  PAKE_TRY(auto stretched, job.run());
  return std::move(stretching).generate_ke3(std::move(stretched));
}

}  // namespace pake::opaque
