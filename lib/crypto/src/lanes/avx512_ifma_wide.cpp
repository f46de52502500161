#define PAKE_LANES_WIDE
#include "field_ifma.h"
#include "ristretto_lanes.h"

namespace pake::crypto::lanes {

extern const Backend kBackend_avx512_ifma_wide;
const Backend kBackend_avx512_ifma_wide = make_backend("AVX-512 IFMA, eight lanes", 1);

}  // namespace pake::crypto::lanes
