// This library's SRP-6a and magic-wormhole's SPAKE2 behind lines of JSON, one object a request and one an answer; bytes
// are hexadecimal. What a request starts the next ones go on with.
//
//   {"op": "srp-verifier", parameters, "I", "P"}          {"s", "v"}
//   {"op": "srp-start", parameters, "I", "P"}             {"A"}
//   {"op": "srp-prove", "s", "B"}                         {"M1"}
//   {"op": "srp-finish", "M2"}                            {"K"}
//   {"op": "srp-respond", parameters, "s", "v", "I", "A"} {"B"}
//   {"op": "srp-check", "M1"}                             {"M2", "K"}
//   {"op": "wormhole-start", "side", "password", "idA", "idB", "idSymmetric"}   {"message"}
//   {"op": "wormhole-finish", "message"}                  {"key"}
//
// parameters: "mode" (its number), "group" (its number), "hash" ("sha1", "sha256", "sha384", "sha512"). Where a step
// fails the answer is {"error"}.
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "pake/crypto/rng.h"
#include "pake/proto/spake2/wormhole.h"
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
      const auto made = must(srp::Verifier::make(parameters(request), bytes(request, "I"), bytes(request, "P"), rng_));
      return {{"s", hex(made.s())}, {"v", hex(made.v())}};
    }
    if (op == "srp-start") {
      auto started = must(srp::start(parameters(request), bytes(request, "I"), bytes(request, "P"), rng_));
      challenge_ = std::move(started.next);
      return {{"A", hex(started.A)}};
    }
    if (op == "srp-prove") {
      auto proof = must(std::move(challenge_.value()).prove(bytes(request, "s"), bytes(request, "B")));
      server_proof_ = std::move(proof.next);
      return {{"M1", hex(proof.M1)}};
    }
    if (op == "srp-finish")
      return {{"K", hex(must(std::move(server_proof_.value()).finish(bytes(request, "M2"))).K.reveal())}};
    if (op == "srp-respond") {
      const auto verifier = must(srp::Verifier::import(parameters(request), bytes(request, "s"), bytes(request, "v")));
      auto response = must(srp::respond(verifier, bytes(request, "I"), permit(), bytes(request, "A"), rng_));
      client_proof_ = std::move(response.next);
      return {{"B", hex(response.B)}};
    }
    if (op == "srp-check") {
      const auto finished = must(std::move(client_proof_.value()).finish(bytes(request, "M1")));
      return {{"M2", hex(finished.M2)}, {"K", hex(finished.keys.K.reveal())}};
    }
    if (op == "wormhole-start") {
      const auto side = static_cast<spake2::wormhole::Side>(request.at("side").get_ref<const std::string&>().at(0));
      const auto A = bytes(request, "idA"), B = bytes(request, "idB"), symmetric = bytes(request, "idSymmetric");
      auto started = must(spake2::wormhole::start(side, bytes(request, "password"),
                                                  {.A = A, .B = B, .symmetric = symmetric}, permit(), rng_));
      wormhole_ = std::move(started.next);
      return {{"message", hex(started.message)}};
    }
    if (op == "wormhole-finish") {
      auto key =
          must(std::move(wormhole_.value()).finish_without_confirmation_peer_unproven(bytes(request, "message")));
      return {{"key", hex(key.key.reveal())}};
    }
    throw std::invalid_argument("unknown op");
  }

 private:
  static Buffer bytes(const Json& request, const char* name) {
    return testing::unhex(request.at(name).get_ref<const std::string&>());
  }
  static srp::Parameters parameters(const Json& request) {
    static const std::map<std::string, crypto::HashId> hashes = {{"sha1", crypto::HashId::sha1},
                                                                 {"sha256", crypto::HashId::sha256},
                                                                 {"sha384", crypto::HashId::sha384},
                                                                 {"sha512", crypto::HashId::sha512}};
    return {.mode = static_cast<srp::Mode>(request.at("mode").get<std::uint8_t>()),
            .group = static_cast<srp::Group>(request.at("group").get<std::uint8_t>()),
            .hash = hashes.at(request.at("hash").get<std::string>())};
  }

  crypto::SystemRng rng_;
  std::optional<srp::AwaitingChallenge> challenge_;
  std::optional<srp::AwaitingServerProof> server_proof_;
  std::optional<srp::AwaitingClientProof> client_proof_;
  std::optional<spake2::wormhole::AwaitingMessage> wormhole_;
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
