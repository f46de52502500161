// The lanes of AVX-512 IFMA, four or with PAKE_WIDE eight, upon secret scalars and points, under MemorySanitizer
// (valgrind does not know AVX-512): secrets are poisoned, so that a branch or an address that depends on one ends the
// program. The argument is `nothing`, or names a leak that is there, and must be found: branch, index or vector_test.
// Exit code 77 where the processor has not the instructions.
#include <sanitizer/msan_interface.h>

#include <cstdio>
#include <string_view>

#ifdef PAKE_WIDE
#include "lanes/avx512_ifma_wide.cpp"  // NOLINT(bugprone-suspicious-include): instrumented here, alone
#else
#include "lanes/avx512_ifma.cpp"  // NOLINT(bugprone-suspicious-include): instrumented here, alone
#endif
#include "msan.h"

namespace {

using namespace pake::crypto::lanes;

volatile int leaked;

[[gnu::noinline]] void branch(const std::uint8_t* scalar) {
  if (scalar[0] == 1) leaked = 1;
}
[[gnu::noinline]] void index(const std::uint8_t* scalar) {
  static volatile std::uint8_t table[256] = {1};
  leaked = table[scalar[0]];
}
[[gnu::noinline]] void vector_test(const std::uint8_t* scalar) {
#ifdef PAKE_WIDE
  const auto bytes = _mm512_maskz_loadu_epi64(0x0f, scalar);
  if (_mm512_test_epi64_mask(bytes, bytes) == 0) leaked = 1;
#else
  const auto bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(scalar));
  if (_mm256_testz_si256(bytes, bytes) != 0) leaked = 1;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view plant = argc == 2 ? argv[1] : "";
  if (__builtin_cpu_supports("avx512ifma") == 0 || __builtin_cpu_supports("avx512vl") == 0 ||
      __builtin_cpu_supports("avx512dq") == 0) {
    static_cast<void>(std::fputs("skipped: this processor has no AVX-512 IFMA\n", stderr));
    return 77;
  }
#ifdef PAKE_WIDE
  const auto& lanes = kBackend_avx512_ifma_wide;
#else
  const auto& lanes = kBackend_avx512_ifma;
#endif
  constexpr auto kLanes = kWidth;
  std::uint8_t scalars[kLanes][32], uniform[64];
  for (std::size_t i = 0; i < kLanes; ++i)
    for (std::size_t b = 0; b < 32; ++b) scalars[i][b] = static_cast<std::uint8_t>(b == 31 ? 7 : 37 * i + 11 * b + 5);
  for (std::size_t b = 0; b < 64; ++b) uniform[b] = static_cast<std::uint8_t>(29 * b + 3);
  __msan_poison(scalars, sizeof scalars);
  __msan_poison(uniform, sizeof uniform);

  Point point, products[kLanes], decoded[kLanes];
  std::uint8_t encodings[kLanes][32];
  std::uint64_t valid[kLanes];
  static_cast<void>(lanes.from_uniform(uniform, &point));
  require(is_secret(point), "the map of secret bytes is secret");
  const std::uint8_t *k[kLanes], *in[kLanes];
  const Point *P[kLanes], *Q[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) {
    k[i] = scalars[i];
    P[i] = &point;
    Q[i] = &products[i];
    in[i] = encodings[i];
  }
  if (plant == "branch") branch(scalars[0]);
  if (plant == "index") index(scalars[0]);
  if (plant == "vector_test") vector_test(scalars[0]);
  lanes.multiply(k, P, kLanes, products, encodings);
  require(is_secret(products) && is_secret(encodings), "products of secrets are secret");
  lanes.multiply_generator(scalars[1], &products[0], encodings[0]);
  require(is_secret(encodings[0]), "a public key is secret until it is sent");
  lanes.encode(Q, kLanes, encodings);
  lanes.decode(in, kLanes, decoded, valid);
  require(is_secret(valid), "what was decoded is secret");
  __msan_unpoison(valid, sizeof valid);
  for (const auto mask : valid) require(mask == ~std::uint64_t{0}, "an encoding of ours does not decode");
}
