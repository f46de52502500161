#include "lanes.h"

namespace pake::crypto::lanes {

#ifdef PAKE_LANES
extern const Backend kBackend_avx2;
extern const Backend kBackend_avx512_ifma;

const Backend* avx2() noexcept { return __builtin_cpu_supports("avx2") != 0 ? &kBackend_avx2 : nullptr; }
const Backend* avx512_ifma() noexcept {
  const bool runs = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("avx512ifma") != 0 &&
                    __builtin_cpu_supports("avx512vl") != 0;
  return runs ? &kBackend_avx512_ifma : nullptr;
}
#else
const Backend* avx2() noexcept { return nullptr; }
const Backend* avx512_ifma() noexcept { return nullptr; }
#endif

const Backend* best() noexcept {
  if (const auto* const fastest = avx512_ifma()) return fastest;
  return avx2();
}

}  // namespace pake::crypto::lanes
