// The lanes of AVX2, or with PAKE_PORTABLE the portable code, with a leak planted in their multiplication: PAKE_PLANT
// is branch, index or (AVX2) vector_test. Takes the place of lanes/avx2.cpp or lanes/portable.cpp.
#ifdef PAKE_PORTABLE
#define PAKE_LEAKY kBackend_portable
#define kBackend_portable kSoundBackend
#include "lanes/portable.cpp"  // NOLINT(bugprone-suspicious-include): with a leak
#undef kBackend_portable
#else
#define PAKE_LEAKY kBackend_avx2
#define kBackend_avx2 kSoundBackend
#include "lanes/avx2.cpp"  // NOLINT(bugprone-suspicious-include): with a leak
#undef kBackend_avx2
#endif

namespace pake::crypto::lanes {
namespace {

[[maybe_unused]] bool branch(const std::uint8_t* scalar) { return scalar[0] == 1; }

[[maybe_unused]] bool index(const std::uint8_t* scalar) {
  static volatile std::uint8_t table[256] = {1};
  return table[scalar[0]] == 2;
}

#ifndef PAKE_PORTABLE
[[maybe_unused]] bool vector_test(const std::uint8_t* scalar) {
  const auto bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(scalar));
  return _mm256_testz_si256(bytes, bytes) != 0;
}
#endif

}  // namespace

void leaky_multiply(const std::uint8_t* const* scalars, const Point* const* points, std::size_t count, Point* products,
                    std::uint8_t (*encodings)[32]);
[[gnu::noinline]] void leaky_multiply(const std::uint8_t* const* scalars, const Point* const* points, std::size_t count,
                                      Point* products, std::uint8_t (*encodings)[32]) {
  if (PAKE_PLANT(scalars[0])) return;
  kSoundBackend.multiply(scalars, points, count, products, encodings);
}

extern const Backend PAKE_LEAKY;
const Backend PAKE_LEAKY = {.name = "leaky",
                            .lanes = kSoundBackend.lanes,
                            .fewest = kSoundBackend.fewest,
                            .decode = decode_lanes,
                            .encode = encode_lanes,
                            .multiply = leaky_multiply,
                            .multiply_generator = multiply_generator_lanes,
                            .from_uniform = from_uniform_lanes};

}  // namespace pake::crypto::lanes
