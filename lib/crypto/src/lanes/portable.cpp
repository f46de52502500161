#include "field_portable.h"
#include "ristretto_lanes.h"

namespace pake::crypto::lanes {

extern const Backend kBackend_portable;
const Backend kBackend_portable = make_backend("portable", 1);

}  // namespace pake::crypto::lanes
