// P-256 in lanes of AVX-512 IFMA upon secret scalars and points, under MemorySanitizer, as lanes_ifma.cpp has it:
// secrets are poisoned, and with PAKE_PLANT (branch or index) there is a leak that must be found. Exit code 77 if the
// processor does not have the instructions.
#include <sanitizer/msan_interface.h>

#include <cstdio>

#include "lanes/p256_ifma.cpp"  // NOLINT(bugprone-suspicious-include): instrumented here, alone
#include "msan.h"

namespace {

using namespace pake::crypto::lanes;

[[maybe_unused]] bool branch(const std::uint8_t* scalar) { return scalar[0] == 1; }
[[maybe_unused]] bool index(const std::uint8_t* scalar) {
  static volatile std::uint8_t table[256] = {1};
  return table[scalar[0]] == 2;
}
[[maybe_unused]] bool nothing(const std::uint8_t*) { return false; }
#ifndef PAKE_PLANT
#define PAKE_PLANT nothing
#endif

constexpr std::uint8_t kGenerator[64] = {0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63,
                                         0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1,
                                         0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f,
                                         0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57,
                                         0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

}  // namespace

int main() {
  if (__builtin_cpu_supports("avx512ifma") == 0 || __builtin_cpu_supports("avx512vl") == 0) {
    static_cast<void>(std::fputs("skipped: this processor has no AVX-512 IFMA\n", stderr));
    return 77;
  }
  const auto& lanes = kP256_avx512_ifma;
  std::uint8_t scalars[4][32], results[4][64];
  std::uint64_t finite[4];
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t b = 0; b < 32; ++b) scalars[i][b] = static_cast<std::uint8_t>(37 * i + 11 * b + 5);
  __msan_poison(scalars, sizeof scalars);
  auto* const table = lanes.make_table(kGenerator);
  require(!is_secret(*table), "the table of a public point is public");

  // A product by the table is a secret point, of which three are multiplied with it.
  const P256Term of_generator = {.scalar = scalars[0], .point = nullptr, .table = table, .sum = 0};
  lanes.sums(&of_generator, 1, results, finite, 1);
  require(is_secret(results[0]) && is_secret(finite[0]), "a product of a secret is secret");
  std::uint8_t secret[64];
  for (std::size_t b = 0; b < 64; ++b) secret[b] = results[0][b];
  if (PAKE_PLANT(scalars[0])) return 1;
  const P256Term terms[] = {{scalars[0], nullptr, table, 0},  {scalars[1], secret, nullptr, 0},
                            {scalars[2], secret, nullptr, 1}, {scalars[3], secret, nullptr, 2},
                            {nullptr, secret, nullptr, 2},    {nullptr, kGenerator, nullptr, 3}};
  lanes.sums(terms, 6, results, finite, 4);
  for (std::size_t i = 0; i < 4; ++i) {
    require(is_secret(results[i]) == (i < 3), "what comes of a secret is secret");
    __msan_unpoison(&finite[i], sizeof finite[i]);
    require(finite[i] == ~std::uint64_t{0}, "none of the sums is infinity");
  }
  for (std::size_t b = 0; b < 64; ++b) require(results[3][b] == kGenerator[b], "the generator is itself");
  lanes.free_table(table);
}
