#include "pake/proto/opaque/server.h"

#include <array>

#include "octets.h"
#include "opaque/key_schedule.h"
#include "opaque/suite.h"
#include "pake/base/ct.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::opaque {

// --- Registration.

// RFC 9807, Section 5.2.2, CreateRegistrationResponse.
//   evaluated_message = BlindEvaluate(oprf_key, DeserializeElement(request.blinded_message))
//   response          = evaluated_message || server_public_key
Result<KeyOperation> registration_key_operation(SuiteId id, Bytes registration_request, Bytes credential_identifier,
                                                GuessPermit permit) {
  PAKE_TRYV(check_given(credential_identifier));
  PAKE_TRY(const auto request, RegistrationRequest::decode(id, registration_request));
  permit.spend();
  return KeyOperation{.suite = id,
                      .credential_identifier = to_buffer(credential_identifier),
                      .blinded_message = request.encode(id),
                      .client_public_keyshare = {}};
}

Result<Buffer> create_registration_response(const KeyHolder& keys, const KeyOperationAnswer& answer) {
  if (answer.evaluated_message.size() != sizes(keys.suite()).Noe) return fail(Errc::unavailable);
  return Writer(sizes(keys.suite()).registration_response())
      .put(answer.evaluated_message)
      .put(keys.public_key())
      .take();
}

Result<Buffer> create_registration_response(Bytes registration_request, const KeyHolder& keys,
                                            Bytes credential_identifier, GuessPermit permit) {
  PAKE_TRY(const auto operation,
           registration_key_operation(keys.suite(), registration_request, credential_identifier, std::move(permit)));
  PAKE_TRY(const auto answer, keys.answer(operation));
  return create_registration_response(keys, answer);
}

FreshIdentifier FreshIdentifier::draw(Rng& rng) {
  FreshIdentifier identifier;
  identifier.bytes_.resize(32);
  rng.fill(identifier.bytes_);
  return identifier;
}

// Nobody has seen an answer under this identifier before, so there is nothing that one could be a guess at.
Result<FreshRegistration> create_registration_response(Bytes registration_request, const KeyHolder& keys,
                                                       FreshIdentifier identifier) {
  PAKE_TRY(auto response,
           create_registration_response(registration_request, keys, identifier.bytes(), GuessPermit(nullptr)));
  return FreshRegistration{.registration_response = std::move(response),
                           .credential_identifier = to_buffer(identifier.bytes())};
}

// RFC 9807, Section 6.3.2.2: the fake record.
Result<RegistrationRecord> fake_record(SuiteId id, Rng& rng) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  PAKE_TRY(auto pair, suite.derive_diffie_hellman_key_pair(random_seed(rng)));
  return RegistrationRecord{.client_public_key = std::move(pair.public_key),
                            .masking_key = Digest::make(suite.sizes().Nh, [&](MutableBytes out) { rng.fill(out); }),
                            .envelope = Buffer(suite.sizes().envelope())};
}

// --- Login.

struct ServerLogin::State {
  Suite suite;
  GuessPermit permit;
};

struct AwaitingKE3::State {
  Suite suite;
  GuessPermit permit;
  Digest expected_client_mac;
  SessionKey session_key;
};

// GenerateKE2 around the point where the long-term secrets are needed: what comes before, kept, and what comes after.
struct Answering {
  Suite suite;
  GuessPermit permit;
  Buffer ke1_bytes;
  KE1 ke1;
  PublicKey client_public_key;
  Nonce masking_nonce;
  Buffer masked_response;
  Nonce server_nonce;
  KeyPair ephemeral;
  Buffer context;
  OwnedIdentities identities;  // with public keys in the place of those that were not given

  [[nodiscard]] static Status check(const Suite& suite, const ServerLoginInputs& inputs, const KeyHolder& keys);
  /// With inputs that have been checked.
  [[nodiscard]] static Result<Answering> start(Suite suite, GuessPermit permit, Bytes ke1_bytes, KE1 ke1,
                                               const ServerLoginInputs& inputs, const KeyHolder& keys, Rng& rng);
  [[nodiscard]] static Result<Answering> start(Suite suite, GuessPermit permit, Bytes ke1,
                                               const ServerLoginInputs& inputs, const KeyHolder& keys, Rng& rng);
  [[nodiscard]] Result<LoginAnswered> finish(OprfElement evaluated_message, const SharedSecrets& ikm) &&;
};

struct AwaitingKeyOperation::State {
  Answering answering;
  std::shared_ptr<const KeyHolder> holder;
  Buffer credential_identifier;
  EncodedElement dh1;
  EncodedElement dh3;
};

namespace {

// RFC 9807, Section 6.3.2.2.
//   credential_response_pad = Expand(record.masking_key, concat(masking_nonce, "CredentialResponsePad"), Npk + Nn + Nm)
//   masked_response         = xor(credential_response_pad, concat(server_public_key, record.envelope))
Buffer mask_response(const Suite& suite, const RegistrationRecord& record, const Nonce& masking_nonce,
                     Bytes server_public_key) {
  const auto pad = credential_response_pad(suite, record.masking_key, masking_nonce);
  const auto masked = mask(pad, concat({server_public_key, record.envelope}).reveal());
  declassify(masked.reveal());
  return to_buffer(masked.reveal());
}

// Whether the record was decoded in this suite.
bool is_of(const Suite& suite, const RegistrationRecord& record) {
  const auto& key = record.client_public_key;
  const bool is_key_of_suite = suite.id() == SuiteId::ristretto255_curve25519
                                   ? key.u() != nullptr
                                   : key.element() != nullptr && key.element()->is_of(suite.oprf());
  return is_key_of_suite && record.masking_key.size() == suite.sizes().Nh &&
         record.envelope.size() == suite.sizes().envelope();
}

/// Null, as if the step had been taken, for a suite that there is not.
template <class State, class... Rest>
StatePtr<State> state_in(SuiteId suite, Rest... rest) {
  if (!check_suite(suite)) return {nullptr, [](State*) {}};
  return make_state(State{Suite(suite), std::move(rest)...});
}

}  // namespace

Status Answering::check(const Suite& suite, const ServerLoginInputs& inputs, const KeyHolder& keys) {
  if (keys.suite() != suite.id() || !is_of(suite, inputs.record)) return fail(Errc::misuse);
  PAKE_TRYV(check_given(inputs.credential_identifier));
  PAKE_TRYV(check_size(inputs.context));
  return check_sizes(inputs.identities);
}

Result<Answering> Answering::start(Suite suite, GuessPermit permit, Bytes ke1_bytes, const ServerLoginInputs& inputs,
                                   const KeyHolder& keys, Rng& rng) {
  PAKE_TRYV(check(suite, inputs, keys));
  PAKE_TRY(auto ke1, KE1::decode(suite.id(), ke1_bytes));
  return start(suite, std::move(permit), ke1_bytes, std::move(ke1), inputs, keys, rng);
}

Result<Answering> Answering::start(Suite suite, GuessPermit permit, Bytes ke1_bytes, KE1 ke1,
                                   const ServerLoginInputs& inputs, const KeyHolder& keys, Rng& rng) {
  const NoncesAndSeed<2> random(rng);
  const auto& [masking_nonce, server_nonce] = random.nonces;
  PAKE_TRY(auto ephemeral, suite.derive_diffie_hellman_key_pair(random.seed));
  const auto client_public_key = suite.encode_to_send(inputs.record->client_public_key);
  return Answering{
      .suite = suite,
      .permit = std::move(permit),
      .ke1_bytes = to_buffer(ke1_bytes),
      .ke1 = std::move(ke1),
      .client_public_key = inputs.record->client_public_key.copy(),
      .masking_nonce = masking_nonce,
      .masked_response = mask_response(suite, inputs.record, masking_nonce, keys.public_key()),
      .server_nonce = server_nonce,
      .ephemeral = std::move(ephemeral),
      .context = to_buffer(inputs.context),
      .identities = OwnedIdentities({.client = identity_or_key(inputs.identities.client, client_public_key),
                                     .server = identity_or_key(inputs.identities.server, keys.public_key())})};
}

// RFC 9807, Section 6.4.4, AuthServerRespond.
//   (Km2, Km3, session_key) = DeriveKeys(ikm, preamble)
//   server_mac              = MAC(Km2, Hash(preamble))
//   expected_client_mac     = MAC(Km3, Hash(preamble || server_mac))
Result<LoginAnswered> Answering::finish(OprfElement evaluated_message, const SharedSecrets& ikm) && {
  KE2 ke2{.credential_response = {.evaluated_message = std::move(evaluated_message),
                                  .masking_nonce = masking_nonce,
                                  .masked_response = std::move(masked_response)},
          .server_nonce = server_nonce,
          .server_public_keyshare = std::move(ephemeral.public_key),
          .server_mac = {}};
  auto proofs = prove(suite, ikm,
                      preamble(suite, {.context = context,
                                       .client_identity = identities.client,
                                       .ke1 = ke1_bytes,
                                       .server_identity = identities.server,
                                       .credential_response = ke2.credential_response,
                                       .server_nonce = ke2.server_nonce,
                                       .server_public_keyshare = ke2.server_public_keyshare})
                          .reveal());
  declassify(proofs.server_mac.reveal());
  ke2.server_mac = to_buffer(proofs.server_mac.reveal());
  permit.spend();
  return LoginAnswered{
      .ke2 = ke2.encode(suite.id()),
      .next = AwaitingKE3(make_state(AwaitingKE3::State{.suite = suite,
                                                        .permit = std::move(permit),
                                                        .expected_client_mac = std::move(proofs.client_mac),
                                                        .session_key = std::move(proofs.session_key)}))};
}

ServerLogin::ServerLogin(SuiteId suite, GuessPermit permit) : state_(state_in<State>(suite, std::move(permit))) {}

// RFC 9807, Section 6.2.2, GenerateKE2.
//   evaluated_message = BlindEvaluate(oprf_key, KE1.blinded_message)
//   dh1               = DiffieHellman(server_secret, KE1.client_public_keyshare)
//   dh2               = DiffieHellman(server_private_key, KE1.client_public_keyshare)
//   dh3               = DiffieHellman(server_secret, record.client_public_key)
// All four are known once KE1 is here: one batch.
Result<LoginAnswered> ServerLogin::generate_ke2(Bytes ke1, const ServerLoginInputs& inputs, const ServerKeys& keys,
                                                Rng& rng) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  const auto& suite = state->suite;
  PAKE_TRY(auto answering, Answering::start(suite, std::move(state->permit), ke1, inputs, keys, rng));
  PAKE_TRY(const auto oprf_key, derive_oprf_key(suite, keys.oprf_seed(), inputs.credential_identifier));
  const auto& server_secret = answering.ephemeral.private_key;
  const auto& client_public_keyshare = answering.ke1.client_public_keyshare;
  Multiplication evaluation{.scalar = &oprf_key, .element = &answering.ke1.blinded_message};
  std::array<DiffieHellman, 3> dh = {{{&server_secret, &client_public_keyshare},
                                      {&keys.private_key(), &client_public_keyshare},
                                      {&server_secret, &answering.client_public_key}}};
  PAKE_TRYV(suite.ake().evaluate_and_diffie_hellman(evaluation, dh));
  const SharedSecrets ikm{
      .dh1 = std::move(dh[0].result), .dh2 = std::move(dh[1].result), .dh3 = std::move(dh[2].result)};
  return std::move(answering).finish(std::move(evaluation.result), ikm);
}

// As above, each step for the whole batch before the next one.
std::vector<Result<LoginAnswered>> generate_ke2(std::span<LoginToAnswer> batch, const ServerKeys& keys, Rng& rng) {
  struct Started {
    std::size_t at;  // in the batch
    Answering answering;
    crypto::Scalar oprf_key;
  };
  std::vector<Result<LoginAnswered>> answers;
  answers.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) answers.push_back(fail(Errc::misuse));

  const Suite suite(keys.suite());
  std::vector<std::size_t> open;  // whose inputs are good
  std::vector<StatePtr<ServerLogin::State>> states;
  std::vector<Bytes> ke1s;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto state = std::move(batch[i].login.state_);
    if (!state || !Answering::check(state->suite, batch[i].inputs, keys)) continue;
    open.push_back(i);
    states.push_back(std::move(state));
    ke1s.push_back(batch[i].ke1);
  }
  auto decoded = KE1::decode_all(suite.id(), ke1s);
  const auto start = [&](std::size_t n) -> Result<Started> {
    const auto& member = batch[open[n]];
    PAKE_TRY(auto ke1, std::move(decoded[n]));
    PAKE_TRY(auto answering, Answering::start(suite, std::move(states[n]->permit), member.ke1, std::move(ke1),
                                              member.inputs, keys, rng));
    PAKE_TRY(auto oprf_key, derive_oprf_key(suite, keys.oprf_seed(), member.inputs.credential_identifier));
    return Started{.at = open[n], .answering = std::move(answering), .oprf_key = std::move(oprf_key)};
  };
  std::vector<Started> started;
  started.reserve(open.size());
  for (std::size_t n = 0; n < open.size(); ++n) {
    if (auto one = start(n))
      started.push_back(std::move(*one));
    else
      answers[open[n]] = fail(one.error());
  }

  std::vector<Ake::Login> products;
  products.reserve(started.size());
  for (const auto& [at, answering, oprf_key] : started) {
    const auto& server_secret = answering.ephemeral.private_key;
    const auto& client_public_keyshare = answering.ke1.client_public_keyshare;
    products.push_back({.evaluation = {.scalar = &oprf_key, .element = &answering.ke1.blinded_message},
                        .dh = {{{&server_secret, &client_public_keyshare},
                                {&keys.private_key(), &client_public_keyshare},
                                {&server_secret, &answering.client_public_key}}}});
  }
  const auto multiplied = suite.ake().evaluate_and_diffie_hellman(products);
  for (std::size_t i = 0; i < started.size(); ++i) {
    auto& [at, answering, oprf_key] = started[i];
    // The identity is no product of what is in here: keys are not zero, and points of prime order.
    if (!multiplied) {
      answers[at] = fail(multiplied.error());
      continue;
    }
    auto& dh = products[i].dh;
    const SharedSecrets ikm{
        .dh1 = std::move(dh[0].result), .dh2 = std::move(dh[1].result), .dh3 = std::move(dh[2].result)};
    answers[at] = std::move(answering).finish(std::move(products[i].evaluation.result), ikm);
  }
  return answers;
}

Result<KE1Answer> ServerLogin::receive_ke1(Bytes ke1, const ServerLoginInputs& inputs,
                                           std::shared_ptr<const KeyHolder> keys, Rng& rng) && {
  if (keys != nullptr && keys->in_memory() != nullptr)
    return std::move(*this).generate_ke2(ke1, inputs, *keys->in_memory(), rng);
  const auto state = std::move(state_);
  if (!state || keys == nullptr) return fail(Errc::misuse);
  const auto& suite = state->suite;
  PAKE_TRY(auto answering, Answering::start(suite, std::move(state->permit), ke1, inputs, *keys, rng));
  const auto& server_secret = answering.ephemeral.private_key;
  std::array<DiffieHellman, 2> dh = {
      {{&server_secret, &answering.ke1.client_public_keyshare}, {&server_secret, &answering.client_public_key}}};
  PAKE_TRYV(suite.ake().diffie_hellman(dh));
  return AwaitingKeyOperation(
      make_state(AwaitingKeyOperation::State{.answering = std::move(answering),
                                             .holder = std::move(keys),
                                             .credential_identifier = to_buffer(inputs.credential_identifier),
                                             .dh1 = std::move(dh[0].result),
                                             .dh3 = std::move(dh[1].result)}));
}

Result<KeyJob> AwaitingKeyOperation::key_job() const {
  if (!state_) return fail(Errc::misuse);
  const auto& suite = state_->answering.suite;
  const auto& ke1 = state_->answering.ke1;
  return KeyJob{.holder = state_->holder,
                .operation = {.suite = suite.id(),
                              .credential_identifier = state_->credential_identifier,
                              .blinded_message = suite.encode_oprf_element(ke1.blinded_message),
                              .client_public_keyshare = suite.encode_to_send(ke1.client_public_keyshare)}};
}

Result<LoginAnswered> AwaitingKeyOperation::generate_ke2(const KeyOperationAnswer& answer) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  const auto& suite = state->answering.suite;
  auto evaluated_message = suite.decode_oprf_element(answer.evaluated_message);
  if (!evaluated_message || answer.dh2.size() != suite.sizes().Npk) return fail(Errc::unavailable);
  const SharedSecrets ikm{
      .dh1 = std::move(state->dh1), .dh2 = EncodedElement::copy_of(answer.dh2.reveal()), .dh3 = std::move(state->dh3)};
  return std::move(state->answering).finish(*std::move(evaluated_message), ikm);
}

// RFC 9807, Section 6.2.4, ServerFinish.
//   ct_equal(KE3.client_mac, expected_client_mac), else ClientAuthenticationError
Result<SessionKey> AwaitingKE3::server_finish(Bytes ke3) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(const auto message, KE3::decode(state->suite.id(), ke3));
  if (!ct_equal(message.client_mac, state->expected_client_mac.reveal())) return fail(Errc::auth_failed);
  state->permit.refund();
  return std::move(state->session_key);
}

}  // namespace pake::opaque
