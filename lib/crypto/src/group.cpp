#include "pake/crypto/group.h"

#include "groups.h"
#include "pake/internal/try.h"

namespace pake::crypto {

const Group& Group::get(GroupId id) noexcept {
  return id == GroupId::ristretto255 ? ristretto255_group() : nist_group(id);
}

Result<Element> Group::multiply(const Scalar& scalar, const Element& element) const {
  Multiplication one[] = {{.scalar = &scalar, .element = &element}};
  PAKE_TRYV(multiply(one));
  return std::move(one[0].result);
}

Result<Element> Group::multiply_generator(const Scalar& scalar) const {
  Multiplication one[] = {{.scalar = &scalar, .element = nullptr}};
  PAKE_TRYV(multiply(one));
  return std::move(one[0].result);
}

}  // namespace pake::crypto
