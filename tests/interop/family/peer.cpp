// This library's SRP-6a, SPAKE2+, EAP-EKE and magic-wormhole's SPAKE2 behind lines of JSON, one object a request and
// one an answer; bytes are hexadecimal. What a request starts the next ones go on with.
//
//   {"op": "srp-verifier", parameters, "I", "P", "s"?}    {"s", "v"}
//   {"op": "srp-start", parameters, "I", "P"}             {"A"}
//   {"op": "srp-prove", "s", "B", "claim"?}               {"M1"}
//   {"op": "srp-finish", "M2"}                            {"K"}     (without M2 behind a claim)
//   {"op": "srp-respond", parameters, "s", "v", "I", "A"} {"B"}
//   {"op": "srp-challenge", parameters, "s", "v", "I"}    {"B"}
//   {"op": "srp-check", "M1", "A"?, "claim"?}             {"M2", "K"}     (A behind a challenge)
//   {"op": "bcrypt", "password", "s"}                     {"P"}     (Proton's, by crypt(3))
//   {"op": "plus-password", "suite", "password", "idProver", "idVerifier"}   {"secret", "record"}     (scrypt, 32768,
//   8, 1)
//   {"op": "plus-register", "suite", "secret"}            {"record"}     (secret: w0 || w1, record: w0 || L)
//   {"op": "plus-start", "suite", "context", "idProver", "idVerifier", "secret"}              {"shareP"}
//   {"op": "plus-finish", "shareV", "confirmV"}           {"confirmP", "K"}
//   {"op": "plus-respond", "suite", "context", "idProver", "idVerifier", "record", "shareP"}  {"shareV", "confirmV"}
//   {"op": "plus-check", "confirmP"}                      {"K"}
//   {"op": "plus-time", as plus-respond, "runs"}          {"ns"}     (CPU time of one answer, of so many)
//   {"op": "matter-secret", "passcode", "salt", "iterations"}                                 {"secret", "record"}
//   {"op": "eke-server", "password", "identity", "identifier"}   {"packet"}     (exported keys as hostapd derives them)
//   {"op": "eke-peer", "password", "identity"}            {}
//   {"op": "eke-receive", "packet"}                       {"packet"?, "MSK"?, "failed"?}
//   {"op": "wormhole-start", "side", "password", "idA", "idB", "idSymmetric"}   {"message", "body"}
//   {"op": "wormhole-finish", "message"}                  {"key"}
//   {"op": "wormhole-derive", "side", "phase"}            {"verifier", "key"}; side and phase as text
//
// parameters: "mode" (its number), "group" (its number), "hash" ("sha1", "sha256", "sha384", "sha512"), "modulus" (of
// Proton's group). suite: its number. Where a step fails the answer is {"error"}.
#include <crypt.h>

#include <cstdint>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "pake/crypto/rng.h"
#include "pake/proto/eap_eke/machine.h"
#include "pake/proto/spake2/wormhole.h"
#include "pake/proto/spake2plus/matter.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/verifier.h"
#include "pake/proto/srp/srp.h"
#include "pake/testing/hex.h"

namespace {

using namespace pake;
using Json = nlohmann::json;
using testing::hex;

/// The value, or the error as an exception that becomes the answer.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(std::string(to_string(result.error())));
  return std::move(*result);
}

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

class Peer {
 public:
  Json answer(const Json& request) {
    const auto& op = request.at("op").get_ref<const std::string&>();
    if (op == "srp-verifier") {
      const auto of = parameters(request);
      const auto I = bytes(request, "I"), P = bytes(request, "P");
      const auto made = must(request.contains("s") ? srp::Verifier::make(of, I, P, bytes(request, "s"))
                                                   : srp::Verifier::make(of, I, P, rng_));
      return {{"s", hex(made.s())}, {"v", hex(made.v())}};
    }
    if (op == "srp-start") {
      auto started = must(srp::start(parameters(request), bytes(request, "I"), bytes(request, "P"), rng_));
      challenge_ = std::move(started.next);
      return {{"A", hex(started.A)}};
    }
    if (op == "srp-prove") {
      const auto s = bytes(request, "s"), B = bytes(request, "B"), claimed = optional_bytes(request, "claim");
      auto proof = must(request.contains("claim")
                            ? std::move(challenge_.value()).prove(s, B, {.SECRET_BLOCK = claimed, .TIMESTAMP = {}})
                            : std::move(challenge_.value()).prove(s, B));
      server_proof_ = std::move(proof.next);
      return {{"M1", hex(proof.M1)}};
    }
    if (op == "srp-finish") {
      auto keys = request.contains("M2") ? std::move(server_proof_.value()).finish(bytes(request, "M2"))
                                         : std::move(server_proof_.value()).finish_without_confirmation_peer_unproven();
      return {{"K", hex(must(std::move(keys)).K.reveal())}};
    }
    if (op == "srp-respond") {
      const auto verifier = must(srp::Verifier::import(parameters(request), bytes(request, "s"), bytes(request, "v")));
      auto response = must(srp::respond(verifier, bytes(request, "I"), permit(), bytes(request, "A"), rng_));
      client_proof_ = std::move(response.next);
      return {{"B", hex(response.B)}};
    }
    if (op == "srp-challenge") {
      const auto verifier = must(srp::Verifier::import(parameters(request), bytes(request, "s"), bytes(request, "v")));
      auto challenge = must(srp::challenge(verifier, bytes(request, "I"), permit(), rng_));
      share_and_proof_ = std::move(challenge.next);
      return {{"B", hex(challenge.B)}};
    }
    if (op == "srp-check") {
      const auto M1 = bytes(request, "M1"), A = optional_bytes(request, "A"),
                 claimed = optional_bytes(request, "claim");
      const auto finished =
          must(request.contains("A") ? std::move(share_and_proof_.value()).finish(A, M1)
               : request.contains("claim")
                   ? std::move(client_proof_.value()).finish(M1, {.SECRET_BLOCK = {}, .TIMESTAMP = claimed})
                   : std::move(client_proof_.value()).finish(M1));
      return {{"M2", hex(finished.M2)}, {"K", hex(finished.keys.K.reveal())}};
    }
    if (op == "bcrypt") {
      crypt_data data = {};
      const auto password = bytes(request, "password");
      const auto setting = must(srp::proton_setting(bytes(request, "s")));
      const auto* const hashed =
          crypt_r(std::string(as_text(password)).c_str(), std::string(as_text(setting)).c_str(), &data);
      return {{"P", hex(as_bytes(hashed == nullptr ? "*" : hashed))}};
    }
    if (op.starts_with("eke-")) return eke(op, request);
    if (op.starts_with("plus-") || op == "matter-secret") return plus(op, request);
    if (op == "wormhole-start") {
      const auto side = static_cast<spake2::wormhole::Side>(request.at("side").get_ref<const std::string&>().at(0));
      const auto A = bytes(request, "idA"), B = bytes(request, "idB"), symmetric = bytes(request, "idSymmetric");
      auto started = must(spake2::wormhole::start(side, bytes(request, "password"),
                                                  {.A = A, .B = B, .symmetric = symmetric}, permit(), rng_));
      wormhole_ = std::move(started.next);
      return {{"message", hex(started.message)}, {"body", hex(as_bytes(spake2::wormhole::pake_body(started.message)))}};
    }
    if (op == "wormhole-finish") {
      auto unproven =
          must(std::move(wormhole_.value()).finish_without_confirmation_peer_unproven(bytes(request, "message")));
      wormhole_key_ = std::move(unproven.key);
      return {{"key", hex(wormhole_key_.reveal())}};
    }
    if (op == "wormhole-derive") {
      const auto text = [&](const char* name) { return request.at(name).get<std::string>(); };
      return {{"verifier", hex(spake2::wormhole::verifier(wormhole_key_).reveal())},
              {"key", hex(spake2::wormhole::phase_key(wormhole_key_, text("side"), text("phase")).reveal())}};
    }
    throw std::invalid_argument("unknown op");
  }

 private:
  static Json registered(const spake2plus::ProverSecret& secret) {
    return {{"secret", hex(secret.encode().reveal())}, {"record", hex(secret.verifier_record().encode().reveal())}};
  }

  Json plus(const std::string& op, const Json& request) {
    using namespace spake2plus;
    if (op == "matter-secret")
      return registered(must(matter::prover_secret(request.at("passcode").get<std::uint32_t>(), bytes(request, "salt"),
                                                   request.at("iterations").get<std::uint32_t>())));
    if (op == "plus-finish") {
      auto finished = must(std::move(share_V_.value()).finish(bytes(request, "shareV"), bytes(request, "confirmV")));
      return {{"confirmP", hex(finished.confirmP)}, {"K", hex(finished.K_shared.reveal())}};
    }
    if (op == "plus-check")
      return {{"K", hex(must(std::move(confirm_P_.value()).finish(bytes(request, "confirmP"))).reveal())}};

    const auto suite = must(decode_suite(request.at("suite").get<std::uint8_t>()));
    if (op == "plus-register") return registered(must(ProverSecret::decode(suite, bytes(request, "secret"))));
    const auto prover = bytes(request, "idProver"), verifier = bytes(request, "idVerifier");
    const Identities identities = {.prover = prover, .verifier = verifier};
    if (op == "plus-password") {
      const crypto::KsfParameters scrypt = crypto::Scrypt{.N = 32768, .r = 8, .p = 1};
      return registered(must(ProverSecret::from_password(suite, scrypt, bytes(request, "password"), identities)));
    }
    const auto context = bytes(request, "context");
    const Inputs inputs = {.Context = context, .identities = {.prover = prover, .verifier = verifier}};
    if (op == "plus-start") {
      auto started = must(start(inputs, must(ProverSecret::decode(suite, bytes(request, "secret"))), rng_));
      share_V_ = std::move(started.next);
      return {{"shareP", hex(started.shareP)}};
    }
    if (op == "plus-respond") {
      auto response = must(respond(inputs, must(VerifierRecord::decode(suite, bytes(request, "record"))), permit(),
                                   bytes(request, "shareP"), rng_));
      confirm_P_ = std::move(response.next);
      return {{"shareV", hex(response.shareV)}, {"confirmV", hex(response.confirmV)}};
    }
    if (op == "plus-time") {
      const auto record = must(VerifierRecord::decode(suite, bytes(request, "record")));
      const auto share = bytes(request, "shareP");
      const auto runs = request.at("runs").get<std::int64_t>();
      const auto before = cpu_time();
      for (std::int64_t i = 0; i < runs; ++i) must(respond(inputs, record, permit(), share, rng_));
      return {{"ns", (cpu_time() - before) / runs}};
    }
    throw std::invalid_argument("unknown op");
  }

  Json eke(const std::string& op, const Json& request) {
    using namespace eap_eke;
    Buffer packet;
    if (op == "eke-receive") {
      packet = bytes(request, "packet");
    } else {
      const Config config = {.proposals = {Proposal{}, {.group = Group::eke_14, .prf = Hmac::sha1, .mac = Hmac::sha1}},
                             .identity = {.value = bytes(request, "identity")},
                             .channel_binding = {},
                             .exported_keys = ExportedKeys::hostapd};
      eke_password_ = bytes(request, "password");
      if (op == "eke-peer")
        eke_ = peer_machine(config, SecretBuffer::copy_of(eke_password_), permit(), rng_);
      else
        eke_ = server_machine(config, request.at("identifier").get<std::uint8_t>(),
                              SecretBuffer::copy_of(Buffer(32, std::uint8_t{1})), permit(), rng_);
    }
    // What is refused ends in Want::failed, and that is the answer.
    if (!packet.empty()) static_cast<void>(eke_->receive(packet, Arrived::more_may_come));
    if (eke_->want() == Want::decision) static_cast<void>(eke_->provide_record(Bytes(eke_password_)));
    Json answer = Json::object();
    if (eke_->want() == Want::send) answer["packet"] = hex(must(eke_->take_message()));
    if (eke_->want() == Want::done) answer["MSK"] = hex(must(eke_->take_session_key()).reveal());
    if (eke_->want() == Want::failed) answer["failed"] = hex(eke_->failure_packet());
    return answer;
  }

  static std::int64_t cpu_time() {
    timespec now = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }

  static Buffer optional_bytes(const Json& request, const char* name) {
    return request.contains(name) ? bytes(request, name) : Buffer();
  }
  static Buffer bytes(const Json& request, const char* name) {
    return testing::unhex(request.at(name).get_ref<const std::string&>());
  }
  srp::Parameters parameters(const Json& request) {
    static const std::map<std::string, crypto::HashId> hashes = {{"sha1", crypto::HashId::sha1},
                                                                 {"sha256", crypto::HashId::sha256},
                                                                 {"sha384", crypto::HashId::sha384},
                                                                 {"sha512", crypto::HashId::sha512}};
    if (request.contains("modulus")) modulus_ = must(srp::Modulus::decode(bytes(request, "modulus")));
    return {.mode = static_cast<srp::Mode>(request.at("mode").get<std::uint8_t>()),
            .group = static_cast<srp::Group>(request.at("group").get<std::uint8_t>()),
            .hash = hashes.at(request.at("hash").get<std::string>()),
            .modulus = request.contains("modulus") ? &*modulus_ : nullptr};
  }

  crypto::SystemRng rng_;
  std::optional<srp::AwaitingChallenge> challenge_;
  std::optional<srp::AwaitingServerProof> server_proof_;
  std::optional<srp::AwaitingClientProof> client_proof_;
  std::optional<srp::AwaitingShareAndProof> share_and_proof_;
  std::optional<srp::Modulus> modulus_;
  std::unique_ptr<eap_eke::EapEkeMachine> eke_;
  Buffer eke_password_;
  std::optional<spake2plus::AwaitingShareV> share_V_;
  std::optional<spake2plus::AwaitingConfirmP> confirm_P_;
  std::optional<spake2::wormhole::AwaitingMessage> wormhole_;
  spake2::wormhole::Key wormhole_key_;
};

}  // namespace

int main() {
  Peer peer;
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = peer.answer(Json::parse(line));
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
}
