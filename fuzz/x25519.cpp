// 32 bytes of key, 32 of a share, whatever they are: the product is not zero, and bit 255 of the share is ignored.
#include "pake/crypto/x25519.h"

#include "require.h"

using namespace pake;
using namespace pake::crypto;

namespace {

bool same(Bytes a, Bytes b) { return to_buffer(a) == to_buffer(b); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size != 2 * kX25519Size) return 0;
  const Bytes input(data, size);
  const auto k = X25519Scalar::copy_of(input.first<kX25519Size>());
  const auto u = input.last<kX25519Size>();

  const auto product = x25519(k, u);
  if (product) fuzz::require(!ct_is_zero(product->reveal()));
  Buffer other = to_buffer(u);
  other[31] ^= 0x80;
  const auto again = x25519(k, std::span<const std::uint8_t, kX25519Size>(other));
  fuzz::require(product.has_value() == again.has_value());
  if (product) fuzz::require(same(product->reveal(), again->reveal()));

  const auto mapped = curve25519_elligator2(u);
  fuzz::require(
      same(curve25519_elligator2(std::span<const std::uint8_t, kX25519Size>(other)).reveal(), mapped.reveal()));
  return 0;
}
