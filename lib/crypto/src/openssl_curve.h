// Private to the room: scalar multiplication on P-256 and P-521 by OpenSSL.
#pragma once

#include "pake/base/bytes.h"
#include "pake/crypto/group.h"

namespace pake::crypto {

/// What is multiplied and added; scalars big-endian and reduced, an empty one is not there.
struct OpenSslProducts {
  Bytes generator_scalar;
  Bytes scalar;
  Bytes point;  // x || y, of fixed length, on the curve
};

/// product = generator_scalar * generator + scalar * point, as x || y; another curve aborts. The one place that calls
/// OpenSSL's curves, and a boundary of the constant-time runs: its P-256 (nistz256) and P-521 are written to be
/// constant-time. Its big numbers are cleared when they are freed, but nistz256 also copies scalar and point to memory
/// of its own, which it frees as it is.
/// @return false when the product is infinity; `product` is zero then.
[[nodiscard]] bool openssl_multiply(GroupId curve, const OpenSslProducts& of, MutableBytes product);

}  // namespace pake::crypto
