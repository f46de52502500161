#include "lanes.h"
#include "p256.h"

namespace pake::crypto::lanes {

extern const Backend kBackend_portable;
const Backend* portable() noexcept { return &kBackend_portable; }

#ifdef PAKE_LANES
extern const Backend kBackend_avx2;
extern const Backend kBackend_avx512_ifma;
extern const Backend kBackend_avx512_ifma_wide;
extern const P256Lanes kP256_avx512_ifma;

const Backend* avx2() noexcept { return __builtin_cpu_supports("avx2") != 0 ? &kBackend_avx2 : nullptr; }
const Backend* avx512_ifma() noexcept {
  const bool runs = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("avx512ifma") != 0 &&
                    __builtin_cpu_supports("avx512vl") != 0;
  return runs ? &kBackend_avx512_ifma : nullptr;
}
const Backend* avx512_ifma_wide() noexcept {
  const bool runs = avx512_ifma() != nullptr && __builtin_cpu_supports("avx512dq") != 0;
  return runs ? &kBackend_avx512_ifma_wide : nullptr;
}
const P256Lanes* p256_avx512_ifma() noexcept { return avx512_ifma() != nullptr ? &kP256_avx512_ifma : nullptr; }
#else
const Backend* avx2() noexcept { return nullptr; }
const Backend* avx512_ifma() noexcept { return nullptr; }
const Backend* avx512_ifma_wide() noexcept { return nullptr; }
const P256Lanes* p256_avx512_ifma() noexcept { return nullptr; }
#endif

const Backend* best() noexcept {
  if (const auto* const fastest = avx512_ifma()) return fastest;
  if (const auto* const fast = avx2()) return fast;
  return portable();
}

}  // namespace pake::crypto::lanes
