// This library's OPAQUE behind lines of JSON: README.md beside it has the requests and answers.
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "pake/crypto/ksf.h"
#include "pake/crypto/rng.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"
#include "pake/testing/hex.h"

namespace {

using namespace pake;
using namespace pake::opaque;
using Json = nlohmann::json;
using testing::hex;
using testing::unhex;

/// The value, or the error as an exception that becomes the answer.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(std::string(to_string(result.error())));
  return std::move(*result);
}

/// One request: text fields keep their bytes alive for as long as it lives.
class Request {
 public:
  explicit Request(Json json) : json_(std::move(json)) {}

  [[nodiscard]] const std::string& text(const char* name) const { return json_.at(name).get_ref<const std::string&>(); }
  [[nodiscard]] Buffer bytes(const char* name) const { return unhex(text(name)); }
  [[nodiscard]] bool is_null(const char* name) const { return json_.at(name).is_null(); }
  [[nodiscard]] SecretBuffer password() const { return SecretBuffer::copy_of(as_bytes(text("password"))); }
  [[nodiscard]] Bytes context() const { return as_bytes(text("context")); }
  [[nodiscard]] Bytes credential_identifier() const { return as_bytes(text("credential_identifier")); }
  [[nodiscard]] Identities identities() const {
    return {.client = as_bytes(text("client_identity")), .server = as_bytes(text("server_identity"))};
  }
  [[nodiscard]] SuiteId suite() const {
    if (text("suite") == "ristretto255") return SuiteId::ristretto255;
    if (text("suite") == "p256") return SuiteId::p256;
    throw std::invalid_argument("unknown suite");
  }
  [[nodiscard]] crypto::KsfParameters ksf() const {
    const auto& name = text("ksf");
    if (name == "identity") return crypto::IdentityWithoutAnyProtection();
    for (const auto profile : {crypto::KsfProfile::small, crypto::KsfProfile::rfc9106_2})
      if (name == crypto::to_string(profile)) return crypto::ksf_parameters(profile, sizes(suite()).Nh);
    throw std::invalid_argument("unknown ksf");
  }

 private:
  Json json_;
};

class Peer {
 public:
  Json answer(const Request& request) {
    const auto& op = request.text("op");
    if (op == "server_setup") return server_setup(request);
    if (op == "registration_request") return registration_request(request);
    if (op == "registration_response") return registration_response(request);
    if (op == "registration_record") return registration_record(request);
    if (op == "ke1") return ke1(request);
    if (op == "ke2") return ke2(request);
    if (op == "ke3") return ke3(request);
    if (op == "finish") return finish(request);
    throw std::invalid_argument("unknown op");
  }

 private:
  Json server_setup(const Request& request) {
    keys_.emplace(must(ServerKeys::generate(request.suite(), rng_)));
    fake_.emplace(must(fake_record(request.suite(), rng_)));
    return {{"public_key", hex(keys_->public_key())}};
  }

  Json registration_request(const Request& request) {
    auto requested = must(ClientRegistration(request.suite(), request.password()).create_registration_request(rng_));
    registration_.emplace(std::move(requested.next));
    return {{"message", hex(requested.registration_request)}};
  }

  Json registration_response(const Request& request) {
    return {{"message", hex(must(create_registration_response(request.bytes("message"), keys_.value(),
                                                              request.credential_identifier(),
                                                              GuessPermit::uncounted_for_study())))}};
  }

  Json registration_record(const Request& request) {
    const auto ksf = request.ksf();
    const auto finished =
        must(std::move(registration_.value())
                 .finalize_registration_request(request.bytes("message"),
                                                {.identities = request.identities(), .ksf = ksf}, rng_));
    return {{"message", hex(finished.record)},
            {"export_key", hex(finished.export_key.reveal())},
            {"public_key", hex(finished.server_public_key)}};
  }

  Json ke1(const Request& request) {
    auto started = must(ClientLogin(request.suite(), request.password()).generate_ke1(rng_));
    login_.emplace(std::move(started.next));
    return {{"message", hex(started.ke1)}};
  }

  Json ke2(const Request& request) {
    std::optional<RegistrationRecord> stored;
    if (!request.is_null("record"))
      stored.emplace(must(RegistrationRecord::decode(request.suite(), request.bytes("record"))));
    auto answered = must(ServerLogin(request.suite(), GuessPermit::uncounted_for_study())
                             .generate_ke2(request.bytes("message"),
                                           {.record = stored ? *stored : fake_.value(),
                                            .credential_identifier = request.credential_identifier(),
                                            .context = request.context(),
                                            .identities = request.identities()},
                                           keys_.value(), rng_));
    answered_.emplace(std::move(answered.next));
    return {{"message", hex(answered.ke2)}};
  }

  Json ke3(const Request& request) {
    const auto ksf = request.ksf();
    const auto finished =
        must(std::move(login_.value())
                 .generate_ke3(request.bytes("message"),
                               {.context = request.context(), .identities = request.identities(), .ksf = ksf}));
    return {{"message", hex(finished.ke3)},
            {"session_key", hex(finished.session_key.reveal())},
            {"export_key", hex(finished.export_key.reveal())},
            {"public_key", hex(finished.server_public_key)}};
  }

  Json finish(const Request& request) {
    const auto session_key = must(std::move(answered_.value()).server_finish(request.bytes("message")));
    return {{"session_key", hex(session_key.reveal())}};
  }

  crypto::SystemRng rng_;
  std::optional<ServerKeys> keys_;
  std::optional<RegistrationRecord> fake_;
  std::optional<AwaitingRegistrationResponse> registration_;
  std::optional<AwaitingKE2> login_;
  std::optional<AwaitingKE3> answered_;
};

}  // namespace

int main() {
  Peer peer;
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = peer.answer(Request(Json::parse(line)));
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    std::cout << answer.dump() << std::endl;  // NOLINT(performance-avoid-endl): the other side waits for the line
  }
}
