// opaque.json: OPAQUE-3DH (RFC 9807), every step and every value between the steps, and what must fail.
#include "pake/proto/opaque/client.h"

#include <algorithm>
#include <map>
#include <optional>

#include "opaque/envelope.h"
#include "opaque/key_schedule.h"
#include "opaque/suite.h"
#include "oprf/unblind.h"
#include "pake/base/writer.h"
#include "pake/proto/opaque/server.h"
#include "pake/proto/oprf/oprf.h"
#include "pake/testing/fixed_rng.h"
#include "vectors.h"

namespace pake::vectors {
namespace {

using namespace opaque;
using testing::FixedRng;
using Values = std::map<std::string, Buffer>;

template <class T>
T must(Result<T> result, std::string_view what) {
  if (!result) throw Failure(std::string(what) + ": " + std::string(to_string(result.error())));
  return *std::move(result);
}

// --- The configuration.

struct Config {
  SuiteId suite;
  crypto::KsfParameters ksf;
  Buffer context;
};

SuiteId suite_of(Fields& config) {
  static const std::map<std::pair<std::string, std::string>, SuiteId> kSuites = {
      {{"ristretto255-SHA512", "ristretto255"}, SuiteId::ristretto255},
      {{"ristretto255-SHA512", "curve25519"}, SuiteId::ristretto255_curve25519},
      {{"P256-SHA256", "P256_XMD:SHA-256_SSWU_RO_"}, SuiteId::p256},
      {{"P384-SHA384", "P384_XMD:SHA-384_SSWU_RO_"}, SuiteId::p384},
      {{"P521-SHA512", "P521_XMD:SHA-512_SSWU_RO_"}, SuiteId::p521}};
  const auto name = std::pair(config.text("OPRF"), config.text("Group"));
  const auto found = kSuites.find(name);
  if (found != kSuites.end()) return found->second;
  if (is_left_out("suite", name.first)) config.not_offered("suite", name.first);
  config.fail("unknown OPRF and Group: " + name.first + ", " + name.second);
}

std::uint32_t small_number(Fields& fields, const std::string& name) {
  const auto value = fields.number(name);
  fields.require(value <= UINT32_MAX, name + " is too large");
  return static_cast<std::uint32_t>(value);
}

crypto::KsfParameters ksf_of(Fields& config) {
  const auto name = config.text("KSF");
  if (name == "Identity") return crypto::IdentityWithoutAnyProtection{};
  if (name == "Argon2id") {
    auto& parameters = config.object("KSF_params");
    parameters.require(parameters.number("version") == 0x13, "another version of Argon2");
    return crypto::Argon2id{.salt = parameters.bytes("salt"),
                            .memory_kib = small_number(parameters, "m_KiB"),
                            .passes = small_number(parameters, "t"),
                            .lanes = small_number(parameters, "p"),
                            .tag_length = parameters.number("tag_length")};
  }
  if (name == "scrypt") {
    auto& parameters = config.object("KSF_params");
    return crypto::Scrypt{.salt = parameters.bytes("salt"),
                          .N = parameters.number("N"),
                          .r = small_number(parameters, "r"),
                          .p = small_number(parameters, "p"),
                          .output_length = parameters.number("dkLen")};
  }
  config.not_offered("KSF", name);
}

Config config_of(Fields& config) {
  const auto id = suite_of(config);
  const auto sizes = opaque::sizes(id);
  const std::string hash = sizes.Nh == 32 ? "SHA256" : sizes.Nh == 48 ? "SHA384" : "SHA512";
  config.require(config.text("Hash") == hash, "another Hash");
  config.require(config.text("KDF") == "HKDF-" + hash, "another KDF");
  config.require(config.text("MAC") == "HMAC-" + hash, "another MAC");
  for (const auto& [name, size] : std::map<std::string, std::size_t>{{"Nh", sizes.Nh},
                                                                     {"Nm", sizes.Nh},
                                                                     {"Nx", sizes.Nh},
                                                                     {"Nn", kNn},
                                                                     {"Nseed", kNseed},
                                                                     {"Noe", sizes.Noe},
                                                                     {"Nok", sizes.Nok},
                                                                     {"Npk", sizes.Npk},
                                                                     {"Nsk", sizes.Nsk}})
    config.require(config.number(name) == size, "another " + name);
  return {.suite = id, .ksf = ksf_of(config), .context = config.bytes("Context")};
}

// --- The inputs, by name.

Values read_values(Fields& fields, std::initializer_list<const char*> names) {
  Values values;
  for (const auto* name : names)
    if (fields.has(name)) values[name] = fields.bytes(name);
  return values;
}

Values inputs_of(Fields& inputs) {
  return read_values(
      inputs, {"KE1", "blind_login", "blind_registration", "client_identity", "client_keyshare_seed", "client_nonce",
               "client_private_key", "client_public_key", "credential_identifier", "envelope_nonce", "masking_key",
               "masking_nonce", "oprf_seed", "password", "server_identity", "server_keyshare_seed", "server_nonce",
               "server_private_key", "server_public_key"});
}

const Buffer& at(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  if (found == values.end()) throw Failure("the input " + name + " is missing");
  return found->second;
}

Bytes optional(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? Bytes() : Bytes(found->second);
}

/// The named inputs as the randomness of one step, drawn in this order: scalars that are blinds, else 32 bytes each.
FixedRng randomness(const Suite& suite, const Values& values, std::initializer_list<const char*> names) {
  const auto& group = crypto::Group::get(suite.oprf());
  Writer bytes;
  for (const std::string name : names) {
    const auto& value = at(values, name);
    const auto blind = group.decode_scalar(value);
    const bool usable = name.starts_with("blind") ? blind && !crypto::Group::is_zero(*blind) : value.size() == kNn;
    if (!usable) throw Failure("the input " + name + " cannot be drawn");
    bytes.put(value);
  }
  return FixedRng(bytes.take());
}

Seed seed_of(const Values& values, const std::string& name) {
  const auto& bytes = at(values, name);
  if (bytes.size() != kNseed) throw Failure(name + " has not Nseed bytes");
  return Seed::copy_of(std::span<const std::uint8_t, kNseed>(bytes));
}

/// The document's name for an error: of a message that does not decode, or the given one of a proof that does not
/// verify; nothing for a success.
template <class T, class Name>
std::string error_of(const Result<T>& result, Name failed_proof) {
  if (result) return "";
  if (result.error() == Errc::malformed) return "DeserializeError";
  if (result.error() == Errc::auth_failed) return failed_proof();
  throw Failure("it fails with " + std::string(to_string(result.error())));
}
template <class T>
std::string error_of(const Result<T>& result) {
  return error_of(result, []() -> std::string { throw Failure("a proof fails"); });
}

// --- The parties. One side's inputs may differ from the other's.

class Party {
 public:
  Party(const Config& config, Values inputs)
      : config_(config), suite_(config.suite), context_(config.context), inputs_(std::move(inputs)) {
    if (const auto replaced = inputs_.find("Context"); replaced != inputs_.end()) context_ = replaced->second;
  }

 protected:
  [[nodiscard]] Identities identities() const {
    return {.client = optional(inputs_, "client_identity"), .server = optional(inputs_, "server_identity")};
  }

  Config config_;
  Suite suite_;
  Buffer context_;
  Values inputs_;
};

class Client : public Party {
 public:
  using Party::Party;

  [[nodiscard]] RegistrationRequested create_registration_request() const {
    auto rng = randomness(suite_, inputs_, {"blind_registration"});
    return must(ClientRegistration(config_.suite, password()).create_registration_request(rng),
                "CreateRegistrationRequest");
  }
  [[nodiscard]] Result<RegistrationFinished> finalize_registration_request(Bytes response) const {
    auto rng = randomness(suite_, inputs_, {"envelope_nonce"});
    return create_registration_request().next.finalize_registration_request(
        response, {.identities = identities(), .ksf = config_.ksf}, rng);
  }
  [[nodiscard]] LoginStarted generate_ke1() const {
    auto rng = randomness(suite_, inputs_, {"blind_login", "client_nonce", "client_keyshare_seed"});
    return must(ClientLogin(config_.suite, password()).generate_ke1(rng), "GenerateKE1");
  }
  [[nodiscard]] Result<LoginFinished> generate_ke3(Bytes ke2) const {
    return generate_ke1().next.generate_ke3(ke2, {.context = context_, .identities = identities(), .ksf = config_.ksf});
  }
  /// The document's name for the error of GenerateKE3, or nothing if it takes `ke2`. Users of the library are not told
  /// which proof failed.
  [[nodiscard]] std::string error_of_KE2(Bytes ke2) const {
    return error_of(generate_ke3(ke2),
                    [&] { return recovers(ke2) ? "ServerAuthenticationError" : "EnvelopeRecoveryError"; });
  }

 private:
  /// Whether Recover takes the envelope in `ke2`.
  [[nodiscard]] bool recovers(Bytes ke2) const {
    const auto response = must(KE2::decode(suite_.id(), ke2), "KE2").credential_response;
    const auto blind = must(crypto::Group::get(suite_.oprf()).decode_scalar(at(inputs_, "blind_login")), "blind_login");
    const auto output =
        must(oprf::finalize(suite_.oprf(), at(inputs_, "password"), blind, response.evaluated_message), "Finalize");
    const auto rwd =
        randomized_password(suite_, output, must(crypto::stretch(config_.ksf, output.reveal()), "Stretch"));
    const auto pad = credential_response_pad(suite_, masking_key(suite_, rwd), response.masking_nonce);
    const auto unmasked = mask(pad, response.masked_response);
    const auto Npk = suite_.sizes().Npk;
    return recover(suite_, rwd, unmasked.reveal().first(Npk), unmasked.reveal().subspan(Npk), identities()).has_value();
  }
  [[nodiscard]] SecretBuffer password() const { return SecretBuffer::copy_of(at(inputs_, "password")); }
};

/// The key in the server's hands and the one it sends may be two where a vector says so; and it is a device, too.
class Device final : public KeyHolder {
 public:
  Device(const ServerKeys& keys, Bytes public_key) : keys_(keys), public_key_(to_buffer(public_key)) {}
  [[nodiscard]] SuiteId suite() const noexcept override { return keys_.suite(); }
  [[nodiscard]] Bytes public_key() const noexcept override { return public_key_; }
  [[nodiscard]] Result<KeyOperationAnswer> answer(const KeyOperation& operation) const override {
    return keys_.answer(operation);
  }

 private:
  const ServerKeys& keys_;
  Buffer public_key_;
};

class Server : public Party {
 public:
  Server(const Config& config, Values inputs)
      : Party(config, std::move(inputs)),
        keys_(must(ServerKeys::decode(config.suite, {.oprf_seed = at(inputs_, "oprf_seed"),
                                                     .private_key = at(inputs_, "server_private_key")}),
                   "the server's keys")) {}

  [[nodiscard]] const ServerKeys& keys() const noexcept { return keys_; }

  [[nodiscard]] Result<Buffer> create_registration_response(Bytes request) const {
    return opaque::create_registration_response(request, device(), at(inputs_, "credential_identifier"),
                                                GuessPermit::uncounted_for_study());
  }

  /// With the keys in a device, and in memory where they are a pair: the same KE2 either way.
  [[nodiscard]] Result<LoginAnswered> generate_ke2(Bytes ke1, Bytes record) const {
    auto by_device = generate_ke2_by_device(ke1, record);
    if (!std::ranges::equal(keys_.public_key(), at(inputs_, "server_public_key"))) return by_device;
    auto in_memory = generate_ke2_in_memory(ke1, record);
    if (in_memory.has_value() != by_device.has_value() || (in_memory && in_memory->ke2 != by_device->ke2))
      throw Failure("a device with the keys answers otherwise");
    return in_memory;
  }

 private:
  [[nodiscard]] Device device() const { return Device(keys_, at(inputs_, "server_public_key")); }
  [[nodiscard]] RegistrationRecord decoded(Bytes record) const {
    return must(RegistrationRecord::decode(config_.suite, record), "the record");
  }
  [[nodiscard]] ServerLoginInputs login_inputs(const RegistrationRecord& record) const {
    return {.record = record,
            .credential_identifier = at(inputs_, "credential_identifier"),
            .context = context_,
            .identities = identities()};
  }
  [[nodiscard]] FixedRng login_randomness() const {
    return randomness(suite_, inputs_, {"masking_nonce", "server_nonce", "server_keyshare_seed"});
  }
  [[nodiscard]] ServerLogin login() const { return {config_.suite, GuessPermit::uncounted_for_study()}; }

  [[nodiscard]] Result<LoginAnswered> generate_ke2_in_memory(Bytes ke1, Bytes record_bytes) const {
    const auto record = decoded(record_bytes);
    auto rng = login_randomness();
    return login().generate_ke2(ke1, login_inputs(record), keys_, rng);
  }
  [[nodiscard]] Result<LoginAnswered> generate_ke2_by_device(Bytes ke1, Bytes record_bytes) const {
    const auto record = decoded(record_bytes);
    auto rng = login_randomness();
    auto step = login().receive_ke1(ke1, login_inputs(record), std::make_shared<const Device>(device()), rng);
    if (!step) return pake::fail(step.error());
    auto waiting = std::get<AwaitingKeyOperation>(*std::move(step));
    const auto answer = must(waiting.key_job(), "the key operation").run();
    if (!answer) return pake::fail(answer.error());
    return std::move(waiting).generate_ke2(*answer);
  }

  ServerKeys keys_;
};

// --- The values between the steps, each from its own function.

class Steps {
 public:
  Steps(const Config& config, const Values& inputs) : config_(config), suite_(config.suite), inputs_(inputs) {}

  /// What the server computes in GenerateKE2; needs registration_upload, KE1 and KE2.
  void of_the_server() {
    const auto record = must(RegistrationRecord::decode(suite_.id(), at(values_, "record")), "the record");
    const auto ke1 = must(KE1::decode(suite_.id(), at(values_, "KE1")), "KE1");
    const auto ke2 = must(KE2::decode(suite_.id(), at(values_, "KE2")), "KE2");
    const auto oprf_seed = Digest::copy_of(at(inputs_, "oprf_seed"));
    const auto& identifier = at(inputs_, "credential_identifier");
    const auto& server_public_key = at(inputs_, "server_public_key");

    set("oprf_key_seed", oprf_key_seed(suite_, oprf_seed, identifier).reveal());
    set("oprf_key", must(derive_oprf_key(suite_, oprf_seed, identifier), "oprf_key").reveal());
    set("credential_response_pad",
        credential_response_pad(suite_, record.masking_key, at(inputs_, "masking_nonce")).reveal());
    const auto ephemeral = key_pair("server_keyshare_seed");
    set("server_keyshare_private", ephemeral.private_key.reveal());
    set("server_public_keyshare", suite_.encode_public_key(ephemeral.public_key).reveal());

    const auto private_key =
        must(suite_.ake().decode_private_key(at(inputs_, "server_private_key")), "server_private_key");
    const auto ikm = must(shared_secrets(suite_, {{{&ephemeral.private_key, &ke1.client_public_keyshare},
                                                   {&private_key, &ke1.client_public_keyshare},
                                                   {&ephemeral.private_key, &record.client_public_key}}}),
                          "Diffie-Hellman");
    set("dh1", ikm.dh1.reveal());
    set("dh2", ikm.dh2.reveal());
    set("dh3", ikm.dh3.reveal());

    const auto client_public_key = suite_.encode_public_key(record.client_public_key);
    set("preamble",
        preamble(suite_,
                 {.context = config_.context,
                  .client_identity = identity_or_key(optional(inputs_, "client_identity"), client_public_key.reveal()),
                  .ke1 = at(values_, "KE1"),
                  .server_identity = identity_or_key(optional(inputs_, "server_identity"), server_public_key),
                  .credential_response = ke2.credential_response,
                  .server_nonce = ke2.server_nonce,
                  .server_public_keyshare = ke2.server_public_keyshare})
            .reveal());
    of_the_key_schedule(ikm);
  }

  /// What the client computes at registration and in GenerateKE3; needs registration_response and KE2 beside.
  void of_the_client() {
    const auto response = must(RegistrationResponse::decode(suite_.id(), at(values_, "registration_response")),
                               "the registration response");
    const auto ke2 = must(KE2::decode(suite_.id(), at(values_, "KE2")), "KE2");
    const auto& password = at(inputs_, "password");
    const auto& nonce = at(inputs_, "envelope_nonce");
    const auto& group = crypto::Group::get(suite_.oprf());

    const auto blind = must(group.decode_scalar(at(inputs_, "blind_registration")), "blind_registration");
    set("unblinded_element",
        group.encode(must(oprf::unblind(suite_.oprf(), blind, response.evaluated_message), "Unblind")).reveal());
    const auto output = must(oprf::finalize(suite_.oprf(), password, blind, response.evaluated_message), "Finalize");
    set("oprf_output", output.reveal());
    const auto stretched = must(crypto::stretch(config_.ksf, output.reveal()), "Stretch");
    set("stretched_oprf_output", stretched.reveal());
    const auto rwd = randomized_password(suite_, output, stretched);
    set("randomized_password", rwd.reveal());
    set("masking_key", masking_key(suite_, rwd).reveal());
    const auto keys = envelope_keys(suite_, rwd, nonce);
    set("auth_key", keys.auth_key.reveal());
    set("private_key_seed", keys.private_key_seed.reveal());

    const auto client = must(suite_.derive_diffie_hellman_key_pair(keys.private_key_seed), "client_private_key");
    set("client_private_key", client.private_key.reveal());
    set("client_public_key", suite_.encode_public_key(client.public_key).reveal());
    const auto& server_public_key = at(inputs_, "server_public_key");
    const Identities identities{.client = optional(inputs_, "client_identity"),
                                .server = optional(inputs_, "server_identity")};
    set("cleartext_credentials",
        cleartext_credentials(server_public_key, at(values_, "client_public_key"), identities).reveal());
    FixedRng rng(nonce);
    set("envelope", must(store(suite_, rwd, server_public_key, identities, rng), "Store").envelope);

    const auto ephemeral = key_pair("client_keyshare_seed");
    set("client_secret", ephemeral.private_key.reveal());
    const auto server_key = must(suite_.decode_public_key(server_public_key), "server_public_key");
    const auto ikm = must(shared_secrets(suite_, {{{&ephemeral.private_key, &ke2.server_public_keyshare},
                                                   {&ephemeral.private_key, &server_key},
                                                   {&client.private_key, &ke2.server_public_keyshare}}}),
                          "Diffie-Hellman");
    set("dh1", ikm.dh1.reveal());
    set("dh2", ikm.dh2.reveal());
    set("dh3", ikm.dh3.reveal());
  }

  /// Two ways to one value must agree.
  void set(const std::string& name, Bytes value) {
    const auto [known, is_new] = values_.try_emplace(name, to_buffer(value));
    if (!is_new && !std::ranges::equal(known->second, value))
      throw Failure("both sides compute " + name + " otherwise");
  }
  [[nodiscard]] const Values& values() const noexcept { return values_; }

 private:
  [[nodiscard]] KeyPair key_pair(const std::string& seed) const {
    return must(suite_.derive_diffie_hellman_key_pair(seed_of(inputs_, seed)), seed);
  }

  void of_the_key_schedule(const SharedSecrets& ikm) {
    const auto& transcript = at(values_, "preamble");
    const auto prk = suite_.extract({ikm.dh1.reveal(), ikm.dh2.reveal(), ikm.dh3.reveal()});
    const auto transcript_hash = suite_.hash({transcript});
    set("prk", prk.reveal());
    set("preamble_hash", transcript_hash.reveal());
    set("handshake_secret",
        derive_secret<Digest>(suite_, suite_.keyed(prk), "HandshakeSecret", transcript_hash.reveal()).reveal());
    const auto keys = derive_keys(suite_, ikm, transcript_hash);
    set("server_mac_key", keys.Km2.reveal());
    set("client_mac_key", keys.Km3.reveal());
    set("session_key", keys.session_key.reveal());
    const auto proofs = prove(suite_, ikm, transcript);
    set("server_mac", proofs.server_mac.reveal());
    set("client_mac", proofs.client_mac.reveal());
  }

  const Config& config_;
  Suite suite_;
  const Values& inputs_;
  Values values_;
};

/// Every name of `section` must be there and as computed.
void expect_values(Fields& entry, const std::string& section, const Values& computed,
                   std::initializer_list<const char*> names) {
  auto& fields = entry.object(section);
  for (const auto* name : names) fields.expect(name, computed.at(name));
}

// --- The entries.

void check_real(Fields& entry, const Config& config, const Values& inputs) {
  const Client client(config, inputs);
  const Server server(config, inputs);
  if (!std::ranges::equal(server.keys().public_key(), at(inputs, "server_public_key")))
    throw Failure("server_public_key is not that of server_private_key");
  Steps steps(config, inputs);

  const auto request = client.create_registration_request().registration_request;
  steps.set("registration_request", request);
  const auto response = must(server.create_registration_response(request), "CreateRegistrationResponse");
  steps.set("registration_response", response);
  const auto registered = must(client.finalize_registration_request(response), "FinalizeRegistrationRequest");
  steps.set("registration_upload", registered.record);
  steps.set("record", registered.record);
  steps.set("export_key", registered.export_key.reveal());

  const auto ke1 = client.generate_ke1().ke1;
  steps.set("KE1", ke1);
  auto answered = must(server.generate_ke2(ke1, registered.record), "GenerateKE2");
  steps.set("KE2", answered.ke2);
  auto finished = must(client.generate_ke3(answered.ke2), "GenerateKE3");
  steps.set("KE3", finished.ke3);
  steps.set("export_key", finished.export_key.reveal());
  steps.set("session_key", finished.session_key.reveal());
  steps.set("session_key", must(std::move(answered.next).server_finish(finished.ke3), "ServerFinish").reveal());

  steps.of_the_client();
  steps.of_the_server();
  expect_values(entry, "outputs", steps.values(),
                {"registration_request", "registration_response", "registration_upload", "KE1", "KE2", "KE3",
                 "export_key", "session_key"});
  expect_values(entry, "intermediates", steps.values(),
                {"auth_key", "client_mac_key", "client_public_key", "envelope", "handshake_secret", "masking_key",
                 "oprf_key", "randomized_password", "server_mac_key"});
  expect_values(entry, "extra_intermediates", steps.values(),
                {"cleartext_credentials", "client_mac", "client_private_key", "client_secret",
                 "credential_response_pad", "dh1", "dh2", "dh3", "oprf_key_seed", "oprf_output", "preamble",
                 "preamble_hash", "private_key_seed", "prk", "server_keyshare_private", "server_mac",
                 "server_public_keyshare", "stretched_oprf_output", "unblinded_element"});
}

/// client_public_key || masking_key || zeros
Buffer fake_record_of(const Config& config, const Values& inputs) {
  return Writer()
      .put(at(inputs, "client_public_key"))
      .put(at(inputs, "masking_key"))
      .put(Buffer(sizes(config.suite).envelope()))
      .take();
}

void check_fake(Fields& entry, const Config& config, const Values& inputs) {
  const Suite suite(config.suite);
  const auto private_key = must(suite.ake().decode_private_key(at(inputs, "client_private_key")), "client_private_key");
  const auto public_key = suite.encode_public_key(must(suite.ake().public_key_of(private_key), "client_public_key"));
  entry.require(std::ranges::equal(public_key.reveal(), at(inputs, "client_public_key")),
                "client_public_key is not that of client_private_key");
  const auto ke1 = must(KE1::decode(config.suite, at(inputs, "KE1")), "KE1");
  const auto keyshare =
      must(suite.derive_diffie_hellman_key_pair(seed_of(inputs, "client_keyshare_seed")), "client_keyshare_seed");
  entry.require(std::ranges::equal(suite.encode_public_key(keyshare.public_key).reveal(),
                                   suite.encode_public_key(ke1.client_public_keyshare).reveal()),
                "KE1 has another key share than that of client_keyshare_seed");

  Steps steps(config, inputs);
  const auto record = fake_record_of(config, inputs);
  steps.set("record", record);
  steps.set("KE1", at(inputs, "KE1"));
  auto answered = must(Server(config, inputs).generate_ke2(at(inputs, "KE1"), record), "GenerateKE2");
  steps.set("KE2", answered.ke2);
  const auto refused = std::move(answered.next).server_finish(Buffer(sizes(config.suite).KE3()));
  entry.require(!refused, "ServerFinish accepts zeros");
  steps.of_the_server();
  expect_values(entry, "outputs", steps.values(), {"KE2"});
  expect_values(entry, "extra_intermediates", steps.values(),
                {"client_mac", "client_mac_key", "credential_response_pad", "dh1", "dh2", "dh3", "handshake_secret",
                 "oprf_key", "oprf_key_seed", "preamble", "preamble_hash", "prk", "record", "server_keyshare_private",
                 "server_mac", "server_mac_key", "server_public_keyshare"});
}

void check_vector(Fields& entry) {
  static_cast<void>(entry.text("id"));
  static_cast<void>(entry.text("source"));
  const auto config = config_of(entry.object("config"));
  const auto inputs = inputs_of(entry.object("inputs"));
  const auto kind = entry.text("kind");
  entry.require(kind == "real" || kind == "fake", "neither real nor fake");
  kind == "real" ? check_real(entry, config, inputs) : check_fake(entry, config, inputs);
}

/// A base vector as a negative entry sees it.
struct Base {
  Config config;
  Values inputs;
  bool is_fake;

  [[nodiscard]] Buffer record() const {
    if (is_fake) return fake_record_of(config, inputs);
    const Client client(config, inputs);
    const auto response = must(
        Server(config, inputs).create_registration_response(client.create_registration_request().registration_request),
        "the base's registration response");
    return must(client.finalize_registration_request(response), "the base's registration").record;
  }
};

Base base_of(const Sections& file, const std::string& id) {
  Fields entry(file.entry("vectors", id), "the base " + id);
  return {.config = config_of(entry.object("config")),
          .inputs = inputs_of(entry.object("inputs")),
          .is_fake = entry.text("kind") == "fake"};
}

/// Which party fails in which step, and the reference's name for its error; no error if it does not fail.
struct Verdict {
  std::string party;
  std::string step;  // none: a message that is not received in a step of the document
  std::string error;
};

/// Whether the client's message before this one begins with the same element: the evaluation changed nothing.
bool is_reflected(const Client& client, const std::string& message, const Buffer& value, std::size_t Noe) {
  const auto sent = message == "KE2"                     ? client.generate_ke1().ke1
                    : message == "registration_response" ? client.create_registration_request().registration_request
                                                         : Buffer();
  return !sent.empty() && value.size() >= Noe && std::ranges::equal(Bytes(sent).first(Noe), Bytes(value).first(Noe));
}

Verdict with_message(const Base& base, const std::string& message, const Buffer& value) {
  const auto client = [&] { return Client(base.config, base.inputs); };
  const auto server = [&] { return Server(base.config, base.inputs); };
  if (message == "registration_request")
    return {"server", "CreateRegistrationResponse", error_of(server().create_registration_response(value))};
  if (message == "registration_response")
    return {"client", "FinalizeRegistrationRequest", error_of(client().finalize_registration_request(value))};
  if (message == "registration_upload")
    return {"server", "", error_of(RegistrationRecord::decode(base.config.suite, value))};
  if (message == "KE1") return {"server", "GenerateKE2", error_of(server().generate_ke2(value, base.record()))};
  if (message == "KE2") return {"client", "GenerateKE3", client().error_of_KE2(value)};
  if (message == "KE3") {
    const auto ke1 = base.is_fake ? at(base.inputs, "KE1") : client().generate_ke1().ke1;
    auto answered = must(server().generate_ke2(ke1, base.record()), "the base's KE2");
    const auto key = std::move(answered.next).server_finish(value);
    return {"server", "ServerFinish", error_of(key, [] { return "ClientAuthenticationError"; })};
  }
  throw Failure("unknown message " + message);
}

/// The inputs of `party` with those of `set` that begin with its name in their place.
Values replaced(const Values& inputs, const Values& set, const std::string& party) {
  auto result = inputs;
  for (const auto& [name, value] : set)
    if (name.starts_with(party)) result[name.substr(party.size())] = value;
  return result;
}

/// Who fails in a whole login.
Verdict with_inputs(const Base& base, const Values& set) {
  const Client client(base.config, replaced(base.inputs, set, "client."));
  const Server server(base.config, replaced(base.inputs, set, "server."));
  auto answered = must(server.generate_ke2(client.generate_ke1().ke1, base.record()), "GenerateKE2");
  if (const auto error = client.error_of_KE2(answered.ke2); !error.empty()) return {"client", "login", error};
  const auto finished = must(client.generate_ke3(answered.ke2), "GenerateKE3");
  const auto key = std::move(answered.next).server_finish(finished.ke3);
  return {"server", "login", error_of(key, [] { return "ClientAuthenticationError"; })};
}

Values set_of(Fields& set) {
  Values values;
  for (const auto* party : {"client.", "server."})
    for (const auto* input : {"Context", "blind_login", "client_identity", "client_keyshare_seed", "client_nonce",
                              "credential_identifier", "masking_nonce", "oprf_seed", "password", "server_identity",
                              "server_keyshare_seed", "server_nonce", "server_private_key", "server_public_key"}) {
      const auto name = std::string(party) + input;
      if (set.has(name)) values[name] = set.bytes(name);
    }
  return values;
}

void check_negative(const Sections& file, Fields& entry) {
  static_cast<void>(entry.text("id"));
  static_cast<void>(entry.text("what"));
  const auto base = base_of(file, entry.text("base"));
  const auto step = entry.text("step");
  Verdict verdict;
  bool is_our_rule = false;
  if (entry.has("message")) {
    const auto message = entry.text("message");
    const auto value = entry.bytes("value");
    verdict = with_message(base, message, value);
    is_our_rule = is_reflected(Client(base.config, base.inputs), message, value, sizes(base.config.suite).Noe);
  } else {
    verdict = with_inputs(base, set_of(entry.object("set")));
  }
  entry.require(!verdict.error.empty(), "it is accepted");
  entry.require(entry.text("error") == verdict.error, "it fails with " + verdict.error);
  entry.require(entry.text("party") == verdict.party, "the " + verdict.party + " fails");
  entry.require(verdict.step.empty() || verdict.step == step, "it fails in " + verdict.step);
  // The RFC itself lets a server answer with the client's own element.
  entry.require(entry.has("rule") == is_our_rule, is_our_rule ? "the rule is missing" : "the document's own rule");
  if (is_our_rule) entry.require(entry.text("rule") == "toolkit", "whose rule?");
}

}  // namespace

void check_opaque(Sections& file) {
  file.each("vectors", check_vector);
  file.each("negative", [&](Fields& entry) { check_negative(file, entry); });
}

}  // namespace pake::vectors
