// SPAKE2+, SPAKE2, SRP-6a and EAP-EKE: the steps of a run that compute something, a side each. What stretches a
// password (PBKDF, memory-hard function) is not in it.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <utility>

#include "pake/crypto/rng.h"
#include "pake/proto/eap_eke/eap_eke.h"
#include "pake/proto/spake2/spake2.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/verifier.h"
#include "pake/proto/srp/srp.h"

// A failed step throws std::bad_expected_access and ends the program.
namespace {

using namespace pake;

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

template <class Function>
void add(const std::string& name, Function function) {
  benchmark::RegisterBenchmark(name.c_str(), [function](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(function());
  })->Unit(benchmark::kMicrosecond);
}

/// As `add`, for a step that consumes what `prepare` makes, untimed.
template <class Prepare, class Function>
void add_step(const std::string& name, Prepare prepare, Function function) {
  benchmark::RegisterBenchmark(name.c_str(), [prepare, function](benchmark::State& state) {
    for (auto _ : state) {
      state.PauseTiming();
      auto prepared = prepare();
      state.ResumeTiming();
      benchmark::DoNotOptimize(function(std::move(prepared)));
    }
  })->Unit(benchmark::kMicrosecond);
}

crypto::SystemRng& rng() {
  static crypto::SystemRng rng;
  return rng;
}

void register_spake2plus(spake2plus::Suite suite) {
  using namespace spake2plus;
  const auto name = "spake2plus " + std::string(parameters(suite).name);
  static const Inputs inputs = {.Context = as_bytes("pake bench"), .identities = {}};
  const auto secret = [suite] {
    Buffer output(2 * parameters(suite).half_size, std::uint8_t{7});
    return ProverSecret::from_pbkdf_output(suite, output).value();
  };
  const auto prove = [secret] { return start(inputs, secret(), rng()).value(); };
  const auto answer = [secret](const Buffer& shareP) {
    return respond(inputs, secret().verifier_record(), permit(), shareP, rng()).value();
  };
  add_step(name + "/prover, start", secret, [](auto prepared) { return start(inputs, prepared, rng()).value(); });
  add_step(
      name + "/verifier, respond", [secret, prove] { return std::pair(secret().verifier_record(), prove().shareP); },
      [](auto prepared) { return respond(inputs, prepared.first, permit(), prepared.second, rng()).value(); });
  add_step(
      name + "/prover, finish",
      [prove, answer] {
        auto started = prove();
        auto answered = answer(started.shareP);
        return std::pair(std::move(started), std::move(answered));
      },
      [](auto prepared) {
        return std::move(prepared.first.next).finish(prepared.second.shareV, prepared.second.confirmV).value();
      });
}

void register_spake2(spake2::Suite suite) {
  using namespace spake2;
  const auto name = "spake2 " + std::string(parameters(suite).name);
  static const Inputs inputs = {};
  const auto w = [suite] { return PasswordScalar::from_mhf_output(suite, Buffer(80, std::uint8_t{7})).value(); };
  add_step(name + "/A, initiate", w, [](auto prepared) { return initiate(inputs, prepared, rng()).value(); });
  add_step(
      name + "/B, respond", [w] { return std::pair(w(), initiate(inputs, w(), rng()).value().pA); },
      [](auto prepared) { return respond(inputs, prepared.first, permit(), prepared.second, rng()).value(); });
  add_step(
      name + "/A, finish",
      [w] {
        auto initiation = initiate(inputs, w(), rng()).value();
        auto response = respond(inputs, w(), permit(), initiation.pA, rng()).value();
        return std::pair(std::move(initiation), std::move(response));
      },
      [](auto prepared) {
        return std::move(prepared.first.next).finish(prepared.second.pB, prepared.second.cB).value();
      });
}

void register_srp(const srp::Parameters& parameters, const std::string& mode) {
  using namespace srp;
  const auto name = "srp " + mode;
  static const auto I = as_bytes("alice"), P = as_bytes("password123");
  const auto verifier = [parameters] { return Verifier::make(parameters, I, P, Buffer(16, std::uint8_t{7})).value(); };
  const auto begin = [parameters] { return start(parameters, I, P, rng()).value(); };
  add(name + "/register", verifier);
  add(name + "/client, start", begin);
  add_step(
      name + "/server, respond", [verifier, begin] { return std::pair(verifier(), begin().A); },
      [](auto prepared) { return respond(prepared.first, I, permit(), prepared.second, rng()).value(); });
  add_step(
      name + "/client, prove",
      [verifier, begin] {
        auto started = begin();
        auto response = respond(verifier(), I, permit(), started.A, rng()).value();
        return std::pair(std::move(started), std::move(response));
      },
      [](auto prepared) { return std::move(prepared.first.next).prove(prepared.second.s, prepared.second.B).value(); });
}

/// A whole run of both sides.
void register_eap_eke(eap_eke::Group group, const std::string& name) {
  using namespace eap_eke;
  add("eap_eke " + name + "/both sides", [group] {
    static const auto password = as_bytes("secret");
    const Config config = {.proposals = {{.group = group}}, .identity = {.value = {'x'}}};
    auto server = start(config, 1).value();
    auto answer = AwaitingIdRequest::make(config, password).value().receive(server.packet).value();
    auto named = std::move(server.next).receive(answer.packet).value();
    auto commit = std::move(named.next).commit(password, permit(), rng()).value();
    auto committed = std::move(answer.next).receive(commit.packet, permit(), rng()).value();
    auto confirm = std::move(commit.next).receive(committed.packet, rng()).value();
    auto finished = std::move(committed.next).receive(confirm.packet, rng()).value();
    return std::move(confirm.next).receive(finished.packet).value();
  });
}

}  // namespace

int main(int argc, char** argv) {
  {
    using enum spake2plus::Suite;
    for (const auto suite : {p256_sha256_hmac, p384_sha256_hmac, p521_sha512_hmac, edwards25519_sha256_hmac})
      register_spake2plus(suite);
  }
  {
    using enum spake2::Suite;
    for (const auto suite : {p256_sha256_hmac, p384_sha256_hmac, p521_sha512_hmac, edwards25519_sha256_hmac})
      register_spake2(suite);
  }
  register_srp({.mode = srp::Mode::rfc5054, .group = srp::Group::bits_2048}, "2048 bits, SHA-256");
  register_srp({.mode = srp::Mode::homekit, .group = srp::Group::bits_3072, .hash = crypto::HashId::sha512},
               "HomeKit, 3072 bits, SHA-512");
  register_srp({.mode = srp::Mode::rfc5054, .group = srp::Group::bits_4096}, "4096 bits, SHA-256");
  register_eap_eke(eap_eke::Group::eke_14, "2048 bits");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
