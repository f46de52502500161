#include "field_avx2.h"
#include "ristretto_lanes.h"

namespace pake::crypto::lanes {

extern const Backend kBackend_avx2;
const Backend kBackend_avx2 = make_backend("AVX2", 3);  // four lanes take as long as two points by the portable code

}  // namespace pake::crypto::lanes
