// This library's CPace behind lines of JSON: README.md beside it has the requests and answers. peer SUITE, which is
// ristretto255 or x25519
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pake/crypto/rng.h"
#include "pake/proto/cpace/cpace.h"
#include "pake/testing/hex.h"

namespace {

using namespace pake;
using namespace pake::cpace;
using Json = nlohmann::json;
using testing::hex;

/// The value, or the error as an exception that becomes the answer.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(std::string(to_string(result.error())));
  return std::move(*result);
}

class Peer {
 public:
  explicit Peer(Suite suite) : suite_(suite) {}

  Json answer(const Json& request) {
    const auto bytes = [&](const char* name) { return testing::unhex(request.at(name).get_ref<const std::string&>()); };
    const auto& op = request.at("op").get_ref<const std::string&>();
    const auto& mode = request.at("mode").get_ref<const std::string&>();
    if (mode != "initiator-responder" && mode != "symmetric") throw std::invalid_argument("unknown mode");
    const bool symmetric = mode == "symmetric";

    if (op == "finish") {
      const auto Y = bytes("peer_Y"), AD = bytes("peer_AD");
      const Share peer = {.Y = Y, .AD = AD};
      return keys(must(symmetric ? std::move(equal_.value()).finish_without_confirmation_peer_unproven(peer)
                                 : std::move(A_.value()).finish_without_confirmation_peer_unproven(peer)));
    }
    const auto PRS = bytes("PRS"), CI = bytes("CI"), sid = bytes("sid"), AD = bytes("AD");
    const Inputs inputs = {.suite = suite_, .PRS = PRS, .CI = CI, .sid = sid};
    if (op == "start" && symmetric) {
      auto start = must(start_symmetric(inputs, GuessPermit::uncounted_for_study(), AD, rng_));
      equal_.emplace(std::move(start.next));
      return {{"Y", hex(start.Y)}};
    }
    if (op == "start") {
      auto initiation = must(initiate(inputs, AD, rng_));
      A_.emplace(std::move(initiation.next));
      return {{"Y", hex(initiation.Ya)}};
    }
    if (op == "respond" && !symmetric) {
      const auto peer_Y = bytes("peer_Y"), peer_AD = bytes("peer_AD");
      const auto response = must(respond_without_confirmation_peer_unproven(inputs, GuessPermit::uncounted_for_study(),
                                                                            {.Y = peer_Y, .AD = peer_AD}, AD, rng_));
      auto answer = keys(response.key);
      answer["Y"] = hex(response.Yb);
      return answer;
    }
    throw std::invalid_argument("unknown op");
  }

 private:
  static Json keys(const UnprovenKey& key) {
    return {{"ISK", hex(key.isk.reveal())}, {"sid_output", hex(key.sid_output)}};
  }

  Suite suite_;
  crypto::SystemRng rng_;
  std::optional<AwaitingResponse> A_;
  std::optional<AwaitingShare> equal_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view suite = argc == 2 ? argv[1] : "";
  if (suite != "ristretto255" && suite != "x25519") {
    std::cerr << "error: a suite is wanted: ristretto255 or x25519\n";
    return 2;
  }
  Peer peer(suite == "x25519" ? Suite::x25519_sha512 : Suite::ristretto255_sha512);
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = peer.answer(Json::parse(line));
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    std::cout << answer.dump() << std::endl;  // NOLINT(performance-avoid-endl): the other side waits for the line
  }
}
