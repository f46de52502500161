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
    const auto& mode = request.at("mode").get_ref<const std::string&>();
    if (mode != "confirmed" && mode != "initiator-responder" && mode != "symmetric")
      throw std::invalid_argument("unknown mode");
    const auto& op = request.at("op").get_ref<const std::string&>();
    if (op == "start") return start(request, mode);
    if (op == "respond" && mode != "symmetric") return respond_to(request, mode);
    if (op == "finish") return finish(request, mode);
    if (op == "verify" && mode == "confirmed")
      return keys(must(std::move(B_.value()).finish(bytes(request, "peer_tag"))));
    throw std::invalid_argument("unknown op");
  }

 private:
  static Buffer bytes(const Json& request, const char* name) {
    return testing::unhex(request.at(name).get_ref<const std::string&>());
  }
  static Json keys(const SharedKey& key) {
    return {{"ISK", hex(key.isk().reveal())}, {"sid_output", hex(key.sid_output())}};
  }
  static Json keys(const UnprovenKey& key) {
    return {{"ISK", hex(key.isk.reveal())}, {"sid_output", hex(key.sid_output)}};
  }
  static GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

  /// What both sides must hold alike, kept for as long as a step reads it.
  struct Agreed {
    Suite suite;
    Buffer PRS, CI, sid;
    Agreed(Suite of, const Json& request)
        : suite(of), PRS(bytes(request, "PRS")), CI(bytes(request, "CI")), sid(bytes(request, "sid")) {}
    [[nodiscard]] Inputs inputs() const { return {.suite = suite, .PRS = PRS, .CI = CI, .sid = sid}; }
  };

  Json start(const Json& request, std::string_view mode) {
    const Agreed agreed(suite_, request);
    const auto AD = bytes(request, "AD");
    if (mode == "symmetric") {
      auto start = must(start_symmetric(agreed.inputs(), permit(), AD, rng_));
      equal_.emplace(std::move(start.next));
      return {{"Y", hex(start.Y)}};
    }
    auto initiation = must(initiate(agreed.inputs(), AD, rng_));
    A_.emplace(std::move(initiation.next));
    return {{"Y", hex(initiation.Ya)}};
  }

  Json respond_to(const Json& request, std::string_view mode) {
    const Agreed agreed(suite_, request);
    const auto AD = bytes(request, "AD"), peer_Y = bytes(request, "peer_Y"), peer_AD = bytes(request, "peer_AD");
    const Share peer = {.Y = peer_Y, .AD = peer_AD};
    if (mode == "confirmed") {
      auto response = must(respond(agreed.inputs(), permit(), peer, AD, rng_));
      B_.emplace(std::move(response.next));
      return {{"Y", hex(response.Yb)}, {"tag", hex(response.Tb)}};
    }
    const auto response = must(respond_without_confirmation_peer_unproven(agreed.inputs(), permit(), peer, AD, rng_));
    auto answer = keys(response.key);
    answer["Y"] = hex(response.Yb);
    return answer;
  }

  Json finish(const Json& request, std::string_view mode) {
    const auto Y = bytes(request, "peer_Y"), AD = bytes(request, "peer_AD");
    const Share peer = {.Y = Y, .AD = AD};
    if (mode == "symmetric")
      return keys(must(std::move(equal_.value()).finish_without_confirmation_peer_unproven(peer)));
    if (mode != "confirmed") return keys(must(std::move(A_.value()).finish_without_confirmation_peer_unproven(peer)));
    const auto finished = must(std::move(A_.value()).finish(peer, bytes(request, "peer_tag")));
    auto answer = keys(finished.key);
    answer["tag"] = hex(finished.Ta);
    return answer;
  }

  Suite suite_;
  crypto::SystemRng rng_;
  std::optional<AwaitingResponse> A_;
  std::optional<AwaitingTag> B_;
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
