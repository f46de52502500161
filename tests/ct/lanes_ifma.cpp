// The lanes of AVX-512 IFMA upon secret scalars and points, under MemorySanitizer (valgrind does not know AVX-512):
// secrets are poisoned, so that a branch or an address that depends on one ends the program. With PAKE_PLANT (branch,
// index or vector_test) such a leak is there, and must be found. Exit code 77 where the processor has not the
// instructions.
#include <sanitizer/msan_interface.h>

#include <cstdio>
#include <cstdlib>

#include "lanes/avx512_ifma.cpp"  // NOLINT(bugprone-suspicious-include): instrumented here, alone

namespace {

using namespace pake::crypto::lanes;

[[maybe_unused]] bool branch(const std::uint8_t* scalar) { return scalar[0] == 1; }
[[maybe_unused]] bool index(const std::uint8_t* scalar) {
  static volatile std::uint8_t table[256] = {1};
  return table[scalar[0]] == 2;
}
[[maybe_unused]] bool vector_test(const std::uint8_t* scalar) {
  const auto bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(scalar));
  return _mm256_testz_si256(bytes, bytes) != 0;
}
[[maybe_unused]] bool nothing(const std::uint8_t*) { return false; }
#ifndef PAKE_PLANT
#define PAKE_PLANT nothing
#endif

void require(bool condition, const char* what) {
  if (condition) return;
  static_cast<void>(std::fprintf(stderr, "error: %s\n", what));
  std::exit(1);
}

template <class T>
bool is_secret(const T& value) {
  return __msan_test_shadow(&value, sizeof value) != -1;
}

}  // namespace

int main() {
  if (__builtin_cpu_supports("avx512ifma") == 0 || __builtin_cpu_supports("avx512vl") == 0) {
    static_cast<void>(std::fputs("skipped: this processor has no AVX-512 IFMA\n", stderr));
    return 77;
  }
  const auto& lanes = kBackend_avx512_ifma;
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
  const std::uint8_t* const k[] = {scalars[0], scalars[1], scalars[2], scalars[3]};
  const Point* const P[] = {&point, &point, &point, &point};
  if (PAKE_PLANT(scalars[0])) return 1;
  lanes.multiply(k, P, kLanes, products, encodings);
  require(is_secret(products) && is_secret(encodings), "products of secrets are secret");
  lanes.multiply_generator(scalars[1], &products[0], encodings[0]);
  require(is_secret(encodings[0]), "a public key is secret until it is sent");
  const Point* const Q[] = {&products[0], &products[1], &products[2], &products[3]};
  lanes.encode(Q, kLanes, encodings);
  const std::uint8_t* const in[] = {encodings[0], encodings[1], encodings[2], encodings[3]};
  lanes.decode(in, kLanes, decoded, valid);
  require(is_secret(valid), "what was decoded is secret");
  __msan_unpoison(valid, sizeof valid);
  for (const auto mask : valid) require(mask == ~std::uint64_t{0}, "an encoding of ours does not decode");
}
