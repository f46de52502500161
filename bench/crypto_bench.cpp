// The crypto room: hashes, and each group's operations. One core; a batch is four products, a login's on a server.
#include <argon2.h>
#include <benchmark/benchmark.h>
#include <sodium.h>

#include <array>
#include <iterator>
#include <optional>
#include <string>

#include "pake/crypto/backend.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/ksf.h"
#include "pake/crypto/rng.h"
#include "pake/crypto/x25519.h"

namespace {

using namespace pake;
using namespace pake::crypto;

constexpr HashId kHashes[] = {HashId::sha256, HashId::sha384, HashId::sha512, HashId::sha1};
constexpr GroupId kGroups[] = {GroupId::ristretto255, GroupId::p256, GroupId::p384, GroupId::p521,
                               GroupId::edwards25519};

std::string name(HashId id) {
  return std::array{"SHA-256", "SHA-384", "SHA-512", "SHA-1"}[static_cast<std::size_t>(id)];
}
std::string name(GroupId id) {
  return std::array{"ristretto255", "P-256", "P-384", "P-521", "edwards25519"}[static_cast<std::size_t>(id)];
}

void bench_hash(benchmark::State& state, HashId id, std::size_t size) {
  const Buffer message(size, 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(hash(id, {message}));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void bench_hmac(benchmark::State& state, HashId id) {
  const Buffer key(64, 1), message(64, 2);
  for (auto _ : state) benchmark::DoNotOptimize(hmac(id, key, {message}));
}

void bench_hkdf_expand(benchmark::State& state, HashId id) {
  const Buffer prk(64, 1), info(32, 2);
  Buffer out(64);
  for (auto _ : state) {
    hkdf_expand(id, prk, {info}, out);
    benchmark::DoNotOptimize(out.data());
  }
}

/// What a group's benchmarks work upon.
struct Operands {
  explicit Operands(GroupId id) : group(Group::get(id)) {
    SystemRng rng;
    scalar = group.random_scalar(rng).value();
    element = group.multiply_generator(group.random_scalar(rng).value()).value();
    encoded = to_buffer(group.encode(element).reveal());
  }
  const Group& group;
  Scalar scalar;
  Element element;
  Buffer encoded;
};

void bench_hash_to_group(benchmark::State& state, const Operands& o) {
  const auto message = as_bytes("correct horse"), dst = as_bytes("HashToGroup-OPRFV1");
  for (auto _ : state) benchmark::DoNotOptimize(o.group.hash_to_group({message}, {dst}));
}

void bench_hash_to_scalar(benchmark::State& state, const Operands& o) {
  const auto message = as_bytes("correct horse"), dst = as_bytes("HashToScalar-OPRFV1");
  for (auto _ : state) benchmark::DoNotOptimize(o.group.hash_to_scalar({message}, {dst}));
}

void bench_random_scalar(benchmark::State& state, const Operands& o) {
  SystemRng rng;
  for (auto _ : state) benchmark::DoNotOptimize(o.group.random_scalar(rng));
}

void bench_invert(benchmark::State& state, const Operands& o) {
  for (auto _ : state) benchmark::DoNotOptimize(o.group.invert(o.scalar));
}

void bench_decode(benchmark::State& state, const Operands& o) {
  for (auto _ : state) benchmark::DoNotOptimize(o.group.decode(o.encoded));
}

void bench_multiply(benchmark::State& state, const Operands& o) {
  for (auto _ : state) benchmark::DoNotOptimize(o.group.multiply(o.scalar, o.element));
}

void bench_multiply_generator(benchmark::State& state, const Operands& o) {
  for (auto _ : state) benchmark::DoNotOptimize(o.group.multiply_generator(o.scalar));
}

/// x*P + w*M.
void bench_sum(benchmark::State& state, const Operands& o) {
  for (auto _ : state) benchmark::DoNotOptimize(o.group.sum({{&o.scalar, nullptr}, {&o.scalar, &o.element}}));
}

void bench_multiply_batch_of_4(benchmark::State& state, const Operands& o) {
  for (auto _ : state) {
    std::array<Multiplication, 4> batch = {
        {{&o.scalar, &o.element}, {&o.scalar, &o.element}, {&o.scalar, &o.element}, {&o.scalar, nullptr}}};
    benchmark::DoNotOptimize(o.group.multiply(batch));
  }
}

/// That many products of points.
template <std::size_t kCount>
void bench_products(benchmark::State& state, const Operands& o) {
  std::array<Multiplication, kCount> batch;
  for (auto _ : state) {
    for (auto& member : batch) member = {.scalar = &o.scalar, .element = &o.element};
    benchmark::DoNotOptimize(o.group.multiply(batch));
  }
}

template <std::size_t kCount>
void bench_decodings(benchmark::State& state, const Operands& o) {
  std::array<Decoding, kCount> batch;
  for (auto& member : batch) member.bytes = o.encoded;
  for (auto _ : state) benchmark::DoNotOptimize(o.group.decode(batch));
}

void bench_x25519(benchmark::State& state) {
  SystemRng rng;
  const auto k = X25519Scalar::make([&](MutableBytes out) { rng.fill(out); });
  const auto u = x25519_base(k);
  for (auto _ : state) benchmark::DoNotOptimize(x25519(k, u.reveal()));
}

void bench_x25519_base(benchmark::State& state) {
  const X25519Scalar k;
  for (auto _ : state) benchmark::DoNotOptimize(x25519_base(k));
}

void bench_elligator2(benchmark::State& state) {
  const std::array<std::uint8_t, kX25519Size> bytes = {7};
  for (auto _ : state) benchmark::DoNotOptimize(curve25519_elligator2(bytes));
}

/// One computation and its memory; several lanes are threads, so it is timed by the clock and by the process's CPU
/// time.
void register_argon2id(const std::string& setting, Argon2id parameters) {
  parameters.tag_length = 64;
  const Buffer input(64, 0x5a);
  const auto add = [&](const char* library, auto compute) {
    benchmark::RegisterBenchmark(("argon2id/" + setting + " by " + library).c_str(),
                                 [=](benchmark::State& state) {
                                   Buffer out(parameters.tag_length);
                                   for (auto _ : state)
                                     if (compute(parameters, input, out) != 0) state.SkipWithError("no memory");
                                 })
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime()
        ->UseRealTime();
  };
  add("libargon2", [](const Argon2id& of, const Buffer& from, Buffer& out) {
    return argon2id_hash_raw(of.passes, of.memory_kib, of.lanes, from.data(), from.size(), of.salt.data(),
                             of.salt.size(), out.data(), out.size());
  });
  if (parameters.lanes != 1) return;
  add("libsodium", [](const Argon2id& of, const Buffer& from, Buffer& out) {
    return crypto_pwhash_argon2id(out.data(), out.size(), reinterpret_cast<const char*>(from.data()), from.size(),
                                  of.salt.data(), of.passes, std::size_t{of.memory_kib} * 1024,
                                  crypto_pwhash_argon2id_ALG_ARGON2ID13);
  });
}

void register_all() {
  const auto fastest = ristretto255_backend();
  for (const auto id : kHashes) {
    for (const std::size_t size : {64U, 16384U})
      benchmark::RegisterBenchmark(("hash/" + name(id) + "/" + std::to_string(size)).c_str(), bench_hash, id, size);
    benchmark::RegisterBenchmark(("hmac/" + name(id) + "/64").c_str(), bench_hmac, id);
    benchmark::RegisterBenchmark(("hkdf_expand/" + name(id) + "/64").c_str(), bench_hkdf_expand, id);
  }
  for (const auto id : kGroups) {
    static std::array<std::optional<Operands>, std::size(kGroups)> operands;
    const auto& o = operands[static_cast<std::size_t>(id)].emplace(id);
    const auto add = [&](const char* what, auto bench) {
      benchmark::RegisterBenchmark((name(id) + "/" + what).c_str(), [bench, fastest, &o](auto& state) {
        choose_ristretto255_backend(fastest);
        bench(state, o);
      });
    };
    if (id != GroupId::edwards25519) add("hash_to_group", bench_hash_to_group);
    add("hash_to_scalar", bench_hash_to_scalar);
    add("random_scalar", bench_random_scalar);
    add("invert", bench_invert);
    add("decode", bench_decode);
    add("multiply", bench_multiply);
    add("multiply_generator", bench_multiply_generator);
    add("multiply/batch_of_4", bench_multiply_batch_of_4);
    add("sum", bench_sum);
  }
  for (const auto backend : kRistrettoBackends) {  // the same group by every way to compute it that this processor has
    if (!choose_ristretto255_backend(backend)) continue;
    static std::array<std::optional<Operands>, kRistrettoBackends.size()> operands;
    const auto& o = operands[static_cast<std::size_t>(backend)].emplace(GroupId::ristretto255);
    const auto add = [&](const char* what, auto bench) {
      benchmark::RegisterBenchmark(("ristretto255 by " + std::string(to_string(backend)) + "/" + what).c_str(),
                                   [bench, backend, &o](auto& state) {
                                     choose_ristretto255_backend(backend);
                                     bench(state, o);
                                   });
    };
    add("hash_to_group", bench_hash_to_group);
    add("decode", bench_decode);
    add("decode/4", bench_decodings<4>);
    add("multiply", bench_multiply);
    add("multiply/4", bench_products<4>);
    add("multiply/8", bench_products<8>);
    add("multiply_generator", bench_multiply_generator);
  }
  choose_ristretto255_backend(fastest);
  benchmark::RegisterBenchmark("x25519", bench_x25519);
  benchmark::RegisterBenchmark("x25519_base", bench_x25519_base);
  benchmark::RegisterBenchmark("elligator2", bench_elligator2);
  register_argon2id("19 MiB, t=2, p=1", {.memory_kib = 19 << 10, .passes = 2, .lanes = 1});
  register_argon2id("64 MiB, t=3, p=1", {.memory_kib = 64 << 10, .passes = 3, .lanes = 1});
  register_argon2id("64 MiB, t=3, p=2", {.memory_kib = 64 << 10, .passes = 3, .lanes = 2});
  register_argon2id("64 MiB, t=3, p=4", {.memory_kib = 64 << 10, .passes = 3, .lanes = 4});
  register_argon2id("1 GiB, t=1, p=1", {.memory_kib = 1 << 20, .passes = 1, .lanes = 1});
  register_argon2id("1 GiB, t=1, p=4", {.memory_kib = 1 << 20, .passes = 1, .lanes = 4});
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  register_all();
  benchmark::RunSpecifiedBenchmarks();
}
