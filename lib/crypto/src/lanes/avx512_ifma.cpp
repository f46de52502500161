#include "field_ifma.h"
#include "ristretto_lanes.h"

namespace pake::crypto::lanes {

extern const Backend kBackend_avx512_ifma;
const Backend kBackend_avx512_ifma = make_backend("AVX-512 IFMA", 1);

}  // namespace pake::crypto::lanes
