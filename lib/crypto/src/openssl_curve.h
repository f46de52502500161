// Private to the room: scalar multiplication on the NIST curves by OpenSSL.
#pragma once

#include "pake/base/bytes.h"
#include "pake/crypto/group.h"

namespace pake::crypto {

/// product = scalar * (x || y), or scalar * generator where `point` is empty; coordinates big-endian and of fixed
/// length, the point on the curve. The one place that calls OpenSSL's curves, and a boundary of the constant-time runs:
/// its P-256 (nistz256) and P-521 are written to be constant-time, its generic P-384 ladder cannot be called so.
/// @return false when the product is infinity; `product` is zero then.
[[nodiscard]] bool openssl_multiply(GroupId curve, Bytes scalar, Bytes point, MutableBytes product);

}  // namespace pake::crypto
