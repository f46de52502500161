// Points that are multiplied by many scalars, as M and N of SPAKE2 and SPAKE2+ are, and sums of their products.
#pragma once

#include <memory>
#include <span>

#include "pake/base/result.h"
#include "pake/crypto/group.h"

namespace pake::crypto {

/// A public point. On P-256 with a table of its multiples, by which a product costs as little as one of the generator
/// (in lanes 67 kB and 1 ms, when it is made; by OpenSSL 150 kB and 20 ms); on the other curves like any other point.
/// Immutable: any thread may use it.
class FixedPoint {
 public:
  FixedPoint(GroupId group, const Element& point);
  FixedPoint(FixedPoint&&) noexcept;
  FixedPoint& operator=(FixedPoint&&) noexcept;
  ~FixedPoint();

  [[nodiscard]] const Element& point() const noexcept { return point_; }
  /// scalar * point in constant time. Errc::malformed if that is the identity (for a scalar of zero).
  [[nodiscard]] Result<Element> multiply(const Scalar& scalar) const;

  struct Tables;  // the room's own
  [[nodiscard]] const Tables* tables() const noexcept { return tables_.get(); }

 private:
  GroupId group_;
  Element point_;
  std::unique_ptr<const Tables> tables_;  // on P-256
};

/// One term of a sum: scalar * element, or scalar * fixed, or scalar * generator if both are null. A null scalar is 1.
struct SumTerm {
  const Scalar* scalar = nullptr;
  const Element* element = nullptr;
  const FixedPoint* fixed = nullptr;
};

/// One sum of a batch, of 1 to Group::kMaxTerms terms. What it points to is read during `sum` only.
struct Sum {
  std::span<const SumTerm> terms;
  Element result{};  // NOLINT(readability-redundant-member-init): lets a batch leave it out
};

/// Computes every sum of the batch, in constant time. Independent ones belong into one call: an implementation may run
/// their products side by side. Errc::malformed if any sum is the identity (the others may be computed all the same).
/// More terms than kMaxTerms, or none, abort.
[[nodiscard]] Status sum(GroupId group, std::span<Sum> batch);

}  // namespace pake::crypto
