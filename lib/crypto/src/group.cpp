#include "pake/crypto/group.h"

#include "groups.h"
#include "pake/internal/try.h"

namespace pake::crypto {

void Element::take(Element& other) noexcept {
  room_ = other.room_;
  owner_ = other.owner_;
  other.clear();
}

void Element::clear() noexcept {
  wipe({reinterpret_cast<std::uint8_t*>(room_.data()), room_.size()});
  owner_ = 0;
}

Element Element::copy() const noexcept {
  Element element;
  element.room_ = room_;
  element.owner_ = owner_;
  return element;
}

const Group& Group::get(GroupId id) noexcept {
  switch (id) {
    case GroupId::ristretto255:
      return ristretto255_group();
    case GroupId::edwards25519:
      return edwards25519_group();
    case GroupId::p256:
    case GroupId::p384:
    case GroupId::p521:
      return nist_group(id);
  }
  std::abort();
}

Result<Element> Group::decode(Bytes bytes) const {
  Decoding one[] = {{.bytes = bytes}};
  PAKE_TRYV(decode(one));
  return std::move(one[0].element);
}

Result<Element> Group::add(const Element& P, const Element& Q) const {
  return sum({{.scalar = nullptr, .element = &P}, {.scalar = nullptr, .element = &Q}});
}

Result<Element> Group::subtract(const Element& P, const Element& Q) const {
  const auto minus_Q = negate(Q);
  return sum({{.scalar = nullptr, .element = &P}, {.scalar = nullptr, .element = &minus_Q}});
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
