// The CPU time of RSA-EKE: a fresh key, which C makes before it connects, and what each side then computes.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <ctime>

#include "pake/crypto/rng.h"
#include "pake/proto/eke/rsa_eke.h"

namespace pake::eke {
namespace {

constexpr std::string_view kPassword = "12345678";

crypto::RsaKeyPair generate(const benchmark::State& state) {
  return crypto::RsaKeyPair::generate(static_cast<std::size_t>(state.range(0))).value();
}

double cpu_seconds() {
  timespec now{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) std::abort();
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Calls `work` and adds what it took to `seconds`.
template <class Work>
auto timed(double& seconds, Work work) {
  const auto start = cpu_seconds();
  auto result = work();
  seconds += cpu_seconds() - start;
  return result;
}

/// One message from a side to the other; each side's part is added to its own time.
void pass(Machine& from, double& from_seconds, Machine& to, double& to_seconds) {
  const auto message = timed(from_seconds, [&] { return from.take_message().value(); });
  if (timed(to_seconds, [&] { return to.receive(message, Arrived::more_may_come); }) != message.size()) std::abort();
}

struct Seconds {
  double L = 0, C = 0;
};

Seconds handshake(benchmark::State& state, const UserTable& users, Rng& rng) {
  RsaListener L({.users = users}, GuessPermit::uncounted_for_study(), rng);
  RsaConnector C({.user = "server", .password = SecretBuffer::copy_of(as_bytes(kPassword)), .key = generate(state)},
                 rng);
  Seconds seconds;
  while (C.want() == Want::send) {
    pass(C, seconds.C, L, seconds.L);
    if (L.want() == Want::send) pass(L, seconds.L, C, seconds.C);
  }
  if (L.want() != Want::done || C.want() != Want::done) std::abort();
  return seconds;
}

void run(benchmark::State& state, double Seconds::* side) {
  crypto::SystemRng rng;
  UserTable users;
  if (!users.add("server", SecretBuffer::copy_of(as_bytes(kPassword)))) std::abort();
  (void)handshake(state, users, rng);  // the first one fetches OpenSSL's algorithms
  for ([[maybe_unused]] auto _ : state) state.SetIterationTime(handshake(state, users, rng).*side);
}

void rsa_eke_generate_key(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(generate(state));
}
void rsa_eke_listener(benchmark::State& state) { run(state, &Seconds::L); }
void rsa_eke_connector(benchmark::State& state) { run(state, &Seconds::C); }

BENCHMARK(rsa_eke_generate_key)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);
// A fixed number of runs: each makes a key, which is not timed here.
BENCHMARK(rsa_eke_listener)->Arg(1024)->Arg(2048)->UseManualTime()->Iterations(50)->Unit(benchmark::kMicrosecond);
BENCHMARK(rsa_eke_connector)->Arg(1024)->Arg(2048)->UseManualTime()->Iterations(50)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace pake::eke

BENCHMARK_MAIN();
