// What decodes is one element with one encoding, and can be computed with. The first byte picks the group.
#include "pake/crypto/group.h"
#include "require.h"

using namespace pake;
using namespace pake::crypto;

namespace {

bool same(Bytes a, Bytes b) { return to_buffer(a) == to_buffer(b); }

bool is_nist(const Group& group) { return group.id() >= GroupId::p256 && group.id() <= GroupId::p521; }

void check_element(const Group& group, const Element& element) {
  const auto encoded = group.encode(element);
  fuzz::require(same(group.encode(group.decode(encoded.reveal()).value()).reveal(), encoded.reveal()));
  if (is_nist(group)) {
    const auto uncompressed = nist_encode_uncompressed(group.id(), element);
    const auto again = nist_decode_uncompressed(group.id(), uncompressed.reveal()).value();
    fuzz::require(same(group.encode(again).reveal(), encoded.reveal()));
  }
  // A library's own idea of the point must encode to the same bytes, or they are a second spelling of it.
  Buffer one(group.scalar_size());
  (is_nist(group) ? one.back() : one.front()) = 1;
  const auto product = group.multiply(group.decode_scalar(one).value(), element);
  fuzz::require(same(group.encode(product.value()).reveal(), group.encode(element).reveal()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& group = Group::get(static_cast<GroupId>(data[0] % 5));
  const Bytes input(data + 1, size - 1);

  if (const auto element = group.decode(input)) {
    fuzz::require(same(group.encode(*element).reveal(), input));
    check_element(group, *element);
  }
  if (const auto scalar = group.decode_scalar(input)) {
    fuzz::require(same(scalar->reveal(), input));
    fuzz::require(same(group.invert(group.invert(*scalar)).reveal(), input));
  }
  if (!is_nist(group)) return 0;
  if (const auto element = nist_decode_uncompressed(group.id(), input)) {
    fuzz::require(same(nist_encode_uncompressed(group.id(), *element).reveal(), input));
    check_element(group, *element);
  }
  return 0;
}
