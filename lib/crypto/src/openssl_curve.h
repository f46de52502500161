// Private to the room: scalar multiplication on P-256 and P-521 by OpenSSL.
#pragma once

#include <memory>

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

/// A point of P-256 with a table of its multiples.
class OpenSslTable {
 public:
  /// @param point  x || y, public, on the curve
  explicit OpenSslTable(Bytes point);
  ~OpenSslTable();
  OpenSslTable(const OpenSslTable&) = delete;
  OpenSslTable& operator=(const OpenSslTable&) = delete;

  /// product = scalar * point as openssl_multiply has it, in the time of a product of the generator.
  [[nodiscard]] bool multiply(Bytes scalar, MutableBytes product) const;

 private:
  struct Curve;
  std::unique_ptr<const Curve> curve_;
};

}  // namespace pake::crypto
