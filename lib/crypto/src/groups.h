// Private to the room: the groups behind Group::get, and what they share.
#pragma once

#include <bit>
#include <cstdlib>

#include "clean_stack.h"
#include "field.h"
#include "pake/crypto/group.h"
#include "pake/crypto/xmd.h"

namespace pake::crypto {

[[nodiscard]] const Group& ristretto255_group() noexcept;
[[nodiscard]] const Group& nist_group(GroupId curve) noexcept;

/// `bytes` as exactly N of them. Anything else is a value of another group or one that was moved from: a broken
/// invariant, so it aborts.
template <std::size_t N, class Byte>
[[nodiscard]] std::span<Byte, N> exactly(std::span<Byte> bytes) noexcept {
  if (bytes.size() != N) std::abort();
  return bytes.template first<N>();
}

/// The scalars of a group of order Order::kValue, serialised in `kOrder`; HashToScalar reduces kUniformSize bytes.
template <class Order, std::endian kOrder, std::size_t kUniformSize>
class GroupWithScalars : public Group {
  using F = Fe<Order>;

 public:
  [[nodiscard]] Result<Scalar> decode_scalar(Bytes bytes) const final {
    if (bytes.size() != F::kSize) return fail(Errc::malformed);
    const auto below_order = on_clean_stack([&] {
      F value;
      return F::decode(exactly<F::kSize>(bytes), kOrder, value);
    });
    if (declassify_value(below_order) == 0) return fail(Errc::malformed);
    return Scalar::copy_of(bytes);
  }

  // Even for ristretto255, whose order fills half of its 253 bits, 128 refusals in a row mean a source that is broken.
  [[nodiscard]] Result<Scalar> random_scalar(Rng& rng) const final {
    for (int attempt = 0; attempt < 128; ++attempt) {
      auto candidate = Scalar::make(F::kSize, [&](MutableBytes out) {
        rng.fill(out);
        auto& top = kOrder == std::endian::big ? out.front() : out.back();
        top &= 0xffU >> (8 * F::kSize - F::kBits);
      });
      const auto in_range = on_clean_stack([&] {
        F value;
        const auto below_order = F::decode(exactly<F::kSize>(candidate.reveal()), kOrder, value);
        return below_order & ~value.is_zero();
      });
      if (declassify_value(in_range) != 0) return candidate;  // a refused one is never used
    }
    return fail(Errc::unavailable);
  }

  [[nodiscard]] Scalar hash_to_scalar(std::initializer_list<Bytes> message_parts,
                                      std::initializer_list<Bytes> dst_parts) const final {
    return on_clean_stack([&] {
      const auto uniform = Secret<kUniformSize>::make(
          [&](MutableBytes out) { expand_message_xmd(hash(), message_parts, dst_parts, out); });
      return encoded(F::reduce(uniform.reveal(), kOrder));
    });
  }

  [[nodiscard]] Scalar invert(const Scalar& scalar) const final {
    return on_clean_stack([&] { return encoded(F::reduce(exactly<F::kSize>(scalar.reveal()), kOrder).invert()); });
  }

 protected:
  GroupWithScalars(GroupId id, HashId hash, std::size_t element_size) noexcept
      : Group(id, hash, F::kSize, element_size) {}

 private:
  [[nodiscard]] static Scalar encoded(const F& value) {
    return Scalar::make(F::kSize, [&](MutableBytes out) { value.encode(exactly<F::kSize>(out), kOrder); });
  }
};

}  // namespace pake::crypto
