// The hash of a file, as both sides of a transfer compute it. One core.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "pake/files/tree_hash.h"

namespace {

using namespace pake;

void tree_hash(benchmark::State& state) {
  const Buffer piece(files::kMaxBody, 0x5a);
  files::TreeHash hash;
  for (auto _ : state) hash.update(piece);
  benchmark::DoNotOptimize(hash.hash());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(piece.size()));
}
BENCHMARK(tree_hash);

}  // namespace

BENCHMARK_MAIN();
