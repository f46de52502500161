// Every step of a CPace run, a suite each. A whole run costs initiate + respond + finish (A) + finish (B).
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <utility>

#include "pake/crypto/rng.h"
#include "pake/proto/cpace/cpace.h"

namespace {

using namespace pake;
using namespace pake::cpace;

constexpr std::array kSuites = {Suite::ristretto255_sha512, Suite::x25519_sha512, Suite::p256_sha256,
                                Suite::p384_sha384, Suite::p521_sha512};

/// One run's sides with the same inputs; a failed step would throw std::bad_expected_access and end the program.
struct Run {
  Inputs inputs;
  crypto::SystemRng rng = {};

  explicit Run(Suite suite)
      : inputs{.suite = suite, .PRS = as_bytes("4711-walnut-otter"), .CI = as_bytes("pake bench")} {}

  Initiation initiate() { return cpace::initiate(inputs, as_bytes("alice"), rng).value(); }
  Response respond(const Buffer& Ya) {
    return cpace::respond(inputs, GuessPermit::uncounted_for_study(), {.Y = Ya, .AD = as_bytes("alice")},
                          as_bytes("bob"), rng)
        .value();
  }
  static AwaitingResponse::Finished finish(AwaitingResponse waiting, const Response& response) {
    return std::move(waiting).finish({.Y = response.Yb, .AD = as_bytes("bob")}, response.Tb).value();
  }
};

void initiate_step(benchmark::State& state, Suite suite) {
  Run run(suite);
  for (auto _ : state) benchmark::DoNotOptimize(run.initiate());
}

void respond_step(benchmark::State& state, Suite suite) {
  Run run(suite);
  const auto Ya = run.initiate().Ya;
  for (auto _ : state) benchmark::DoNotOptimize(run.respond(Ya));
}

void finish_step_of_A(benchmark::State& state, Suite suite) {
  Run run(suite);
  for (auto _ : state) {
    state.PauseTiming();
    auto initiation = run.initiate();
    const auto response = run.respond(initiation.Ya);
    state.ResumeTiming();
    benchmark::DoNotOptimize(Run::finish(std::move(initiation.next), response));
  }
}

void finish_step_of_B(benchmark::State& state, Suite suite) {
  Run run(suite);
  for (auto _ : state) {
    state.PauseTiming();
    auto initiation = run.initiate();
    auto response = run.respond(initiation.Ya);
    const auto finished = Run::finish(std::move(initiation.next), response);
    state.ResumeTiming();
    benchmark::DoNotOptimize(std::move(response.next).finish(finished.Ta).value());
  }
}

void symmetric_side(benchmark::State& state, Suite suite) {
  Run run(suite);
  const auto Y = run.initiate().Ya;
  for (auto _ : state) {
    auto start = start_symmetric(run.inputs, GuessPermit::uncounted_for_study(), as_bytes("bob"), run.rng).value();
    benchmark::DoNotOptimize(std::move(start.next).confirm({.Y = Y, .AD = as_bytes("alice")}).value());
  }
}

void register_suite(Suite suite) {
  const auto add = [&](const char* step, auto* function) {
    const auto name = std::string(parameters(suite).name) + "/" + step;
    return benchmark::RegisterBenchmark(name.c_str(), function, suite)->Unit(benchmark::kMicrosecond);
  };
  add("initiate", initiate_step);
  add("respond", respond_step);
  add("finish (A)", finish_step_of_A);
  add("finish (B)", finish_step_of_B)->Iterations(1000);  // it compares two tags: its untimed setup is all the time
  add("symmetric, one side", symmetric_side);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto suite : kSuites) register_suite(suite);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
