// BoringSSL's SPAKE2+ with C's calling convention. Every function returns 1, or 0 where BoringSSL refuses.
#include <spake2plus/internal.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>

using bssl::Span;
using bssl::spake2plus::Prover;
using bssl::spake2plus::Verifier;

namespace {

struct Bytes {
  const uint8_t *data;
  size_t size;
  operator Span<const uint8_t>() const { return Span<const uint8_t>(data, size); }
};

template <size_t N>
Span<uint8_t> Out(uint8_t (*out)[N]) {
  return Span<uint8_t>(*out, N);
}

}  // namespace

extern "C" {

struct shim_inputs {
  Bytes context, id_prover, id_verifier;
};

Prover *shim_prover(const shim_inputs *in, Bytes w0, Bytes w1, uint8_t (*share)[65]) {
  auto prover = std::make_unique<Prover>();
  if (!prover->Init(in->context, in->id_prover, in->id_verifier, w0, w1) || !prover->GenerateShare(Out(share)))
    return nullptr;
  return prover.release();
}

int shim_prover_finish(Prover *prover, Bytes share, Bytes confirm, uint8_t (*own_confirm)[32], uint8_t (*key)[32]) {
  return prover->ComputeConfirmation(Out(own_confirm), Out(key), share, confirm);
}

void shim_prover_free(Prover *prover) { delete prover; }

Verifier *shim_verifier(const shim_inputs *in, Bytes w0, Bytes L, Bytes share, uint8_t (*own_share)[65],
                        uint8_t (*confirm)[32], uint8_t (*key)[32]) {
  auto verifier = std::make_unique<Verifier>();
  if (!verifier->Init(in->context, in->id_prover, in->id_verifier, w0, L) ||
      !verifier->ProcessProverShare(Out(own_share), Out(confirm), Out(key), share))
    return nullptr;
  return verifier.release();
}

int shim_verifier_check(Verifier *verifier, Bytes confirm) { return verifier->VerifyProverConfirmation(confirm); }

void shim_verifier_free(Verifier *verifier) { delete verifier; }

// The CPU time in nanoseconds of `runs` answers to one share, decoding and encoding included; 0 where one is refused.
uint64_t shim_verifier_time(const shim_inputs *in, Bytes w0, Bytes L, Bytes share, uint64_t runs) {
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return uint64_t(time.tv_sec) * 1000000000 + uint64_t(time.tv_nsec);
  };
  uint8_t own_share[65], confirm[32], key[32];
  const auto start = now();
  for (uint64_t i = 0; i < runs; ++i) {
    Verifier verifier;
    if (!verifier.Init(in->context, in->id_prover, in->id_verifier, w0, L) ||
        !verifier.ProcessProverShare(Out(&own_share), Out(&confirm), Out(&key), share))
      return 0;
  }
  return now() - start;
}
}
