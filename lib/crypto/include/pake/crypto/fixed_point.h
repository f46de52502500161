// A public point that is multiplied by many scalars, as M and N of SPAKE2 and SPAKE2+ are.
#pragma once

#include <memory>

#include "pake/base/result.h"
#include "pake/crypto/group.h"

namespace pake::crypto {

class OpenSslTable;

/// On P-256 with a table of the point's multiples (about 150 kB and 20 ms, when it is made), by which a product costs
/// as little as one of the generator; on the other curves like any other point. Immutable: any thread may use it.
class FixedPoint {
 public:
  FixedPoint(GroupId group, const Element& point);
  FixedPoint(FixedPoint&&) noexcept;
  FixedPoint& operator=(FixedPoint&&) noexcept;
  ~FixedPoint();

  /// scalar * point in constant time. Errc::malformed where that is the identity (for a scalar of zero).
  [[nodiscard]] Result<Element> multiply(const Scalar& scalar) const;

 private:
  GroupId group_;
  Element point_;
  std::unique_ptr<const OpenSslTable> table_;  // on P-256
};

}  // namespace pake::crypto
