// Every step of OPAQUE, a suite each (ristretto255 by every back end that runs here), and every KSF profile. The
// client's steps are without a KSF: add one profile's time to finalize_registration_request and to generate_ke3. A
// whole login costs the server generate_ke2 + server_finish, the client generate_ke1 + generate_ke3 + the KSF.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <utility>

#include "pake/crypto/backend.h"
#include "pake/crypto/ksf.h"
#include "pake/crypto/rng.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"

namespace {

using namespace pake;
using namespace pake::opaque;

constexpr std::array kSuites = {SuiteId::ristretto255, SuiteId::ristretto255_curve25519, SuiteId::p256, SuiteId::p384,
                                SuiteId::p521};
constexpr std::array kProfiles = {crypto::KsfProfile::small, crypto::KsfProfile::scrypt_rfc9807,
                                  crypto::KsfProfile::rfc9106_2, crypto::KsfProfile::rfc9807};

/// Both sides of a user; a failed step would throw std::bad_expected_access and end the program.
struct Run {
  SuiteId suite;
  crypto::SystemRng rng = {};
  ServerKeys keys = ServerKeys::generate(suite, rng).value();
  crypto::KsfParameters no_ksf = crypto::IdentityWithoutAnyProtection{};
  RegistrationRecord record = enroll();

  explicit Run(SuiteId id) : suite(id) {}

  RegistrationRequested create_registration_request() {
    return ClientRegistration(suite, password()).create_registration_request(rng).value();
  }
  Buffer create_registration_response(const Buffer& request) const {
    return opaque::create_registration_response(request, keys, as_bytes("user 4711"),
                                                GuessPermit::uncounted_for_study())
        .value();
  }
  RegistrationFinished finalize_registration_request(AwaitingRegistrationResponse waiting, const Buffer& response) {
    return std::move(waiting).finalize_registration_request(response, {.ksf = no_ksf}, rng).value();
  }
  LoginStarted generate_ke1() { return ClientLogin(suite, password()).generate_ke1(rng).value(); }
  LoginAnswered generate_ke2(const Buffer& ke1) {
    return ServerLogin(suite, GuessPermit::uncounted_for_study())
        .generate_ke2(ke1, {.record = record, .credential_identifier = as_bytes("user 4711")}, keys, rng)
        .value();
  }
  LoginFinished generate_ke3(AwaitingKE2 waiting, const Buffer& ke2) const {
    return std::move(waiting).generate_ke3(ke2, {.ksf = no_ksf}).value();
  }
  static SessionKey server_finish(AwaitingKE3 waiting, const Buffer& ke3) {
    return std::move(waiting).server_finish(ke3).value();
  }

 private:
  static SecretBuffer password() { return SecretBuffer::copy_of(as_bytes("correct horse")); }

  RegistrationRecord enroll() {
    auto requested = create_registration_request();
    const auto response = create_registration_response(requested.registration_request);
    const auto finished = finalize_registration_request(std::move(requested.next), response);
    return RegistrationRecord::decode(suite, finished.record).value();
  }
};

void create_registration_request_step(benchmark::State& state, SuiteId suite) {
  Run run(suite);
  for (auto _ : state) benchmark::DoNotOptimize(run.create_registration_request());
}

void create_registration_response_step(benchmark::State& state, SuiteId suite) {
  Run run(suite);
  const auto request = run.create_registration_request().registration_request;
  for (auto _ : state) benchmark::DoNotOptimize(run.create_registration_response(request));
}

void finalize_registration_request_step(benchmark::State& state, SuiteId suite) {
  Run run(suite);
  for (auto _ : state) {
    state.PauseTiming();
    auto requested = run.create_registration_request();
    const auto response = run.create_registration_response(requested.registration_request);
    state.ResumeTiming();
    benchmark::DoNotOptimize(run.finalize_registration_request(std::move(requested.next), response));
  }
}

void generate_ke1_step(benchmark::State& state, SuiteId suite) {
  Run run(suite);
  for (auto _ : state) benchmark::DoNotOptimize(run.generate_ke1());
}

void generate_ke2_step(benchmark::State& state, SuiteId suite) {
  Run run(suite);
  const auto ke1 = run.generate_ke1().ke1;
  for (auto _ : state) benchmark::DoNotOptimize(run.generate_ke2(ke1));
}

void generate_ke3_step(benchmark::State& state, SuiteId suite) {
  Run run(suite);
  for (auto _ : state) {
    state.PauseTiming();
    auto started = run.generate_ke1();
    const auto ke2 = run.generate_ke2(started.ke1).ke2;
    state.ResumeTiming();
    benchmark::DoNotOptimize(run.generate_ke3(std::move(started.next), ke2));
  }
}

void server_finish_step(benchmark::State& state, SuiteId suite) {
  Run run(suite);
  for (auto _ : state) {
    state.PauseTiming();
    auto started = run.generate_ke1();
    auto answered = run.generate_ke2(started.ke1);
    const auto ke3 = run.generate_ke3(std::move(started.next), answered.ke2).ke3;
    state.ResumeTiming();
    benchmark::DoNotOptimize(Run::server_finish(std::move(answered.next), ke3));
  }
}

void stretch(benchmark::State& state, crypto::KsfProfile profile) {
  const auto parameters = crypto::ksf_parameters(profile, 64);
  const Buffer input(64, 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::stretch(parameters, input).value());
}

std::string name(SuiteId suite) {
  switch (suite) {
    case SuiteId::ristretto255:
      return "ristretto255";
    case SuiteId::p256:
      return "P-256";
    case SuiteId::p384:
      return "P-384";
    case SuiteId::p521:
      return "P-521";
    case SuiteId::ristretto255_curve25519:
      return "ristretto255+curve25519";
  }
  return "unknown";
}

void register_suite(SuiteId suite, const std::string& name, crypto::RistrettoBackend backend) {
  const auto add = [&](const std::string& step, auto* function) {
    return benchmark::RegisterBenchmark((name + "/" + step).c_str(),
                                        [=](benchmark::State& state) {
                                          crypto::choose_ristretto255_backend(backend);
                                          function(state, suite);
                                        })
        ->Unit(benchmark::kMicrosecond);
  };
  add("create_registration_request", create_registration_request_step);
  add("create_registration_response", create_registration_response_step);
  add("finalize_registration_request", finalize_registration_request_step);
  add("generate_ke1", generate_ke1_step);
  add("generate_ke2", generate_ke2_step);
  add("generate_ke3", generate_ke3_step);
  add("server_finish", server_finish_step)->Iterations(500);  // it compares two tags: its untimed setup is all the time
}

}  // namespace

int main(int argc, char** argv) {
  const auto fastest = crypto::ristretto255_backend();
  for (const auto suite : kSuites) register_suite(suite, name(suite), fastest);
  for (const auto backend :
       crypto::kRistrettoBackends) {  // the same suite by every way to compute its group that this processor has
    if (backend == fastest || !crypto::choose_ristretto255_backend(backend)) continue;
    register_suite(SuiteId::ristretto255, "ristretto255 by " + std::string(to_string(backend)), backend);
  }
  crypto::choose_ristretto255_backend(fastest);
  benchmark::AddCustomContext("ristretto255", std::string(to_string(fastest)));
  for (const auto profile : kProfiles)
    benchmark::RegisterBenchmark(("ksf/" + std::string(to_string(profile))).c_str(), stretch, profile)
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime()
        ->UseRealTime();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
