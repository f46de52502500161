// Private to the room: the groups behind Group::get, and what they share.
#pragma once

#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "clean_stack.h"
#include "field.h"
#include "pake/crypto/group.h"
#include "pake/crypto/xmd.h"

namespace pake::crypto {

[[nodiscard]] const Group& ristretto255_group() noexcept;
[[nodiscard]] const Group& nist_group(GroupId curve) noexcept;
[[nodiscard]] const Group& edwards25519_group() noexcept;

/// `bytes` as exactly N of them. Anything else is a value of another group or one that was moved from: a broken
/// invariant, so it aborts.
template <std::size_t N, class Byte>
[[nodiscard]] std::span<Byte, N> exactly(std::span<Byte> bytes) noexcept {
  if (bytes.size() != N) std::abort();
  return bytes.template first<N>();
}

/// What a group keeps in an Element: a trivially copyable struct of its own. An element of another group, or one that
/// was moved from, is a broken invariant, so it aborts.
struct ElementAccess {
  template <class Coordinates>
  [[nodiscard]] static Element make(GroupId group, const Coordinates& coordinates) noexcept {
    static_assert(std::is_trivially_copyable_v<Coordinates> && sizeof(Coordinates) <= Element::kRoom &&
                  alignof(Coordinates) <= 8);
    Element element;
    std::construct_at(reinterpret_cast<Coordinates*>(element.room_.data()), coordinates);
    element.owner_ = static_cast<std::uint8_t>(std::to_underlying(group) + 1);
    return element;
  }
  template <class Coordinates>
  [[nodiscard]] static const Coordinates& get(GroupId group, const Element& element) noexcept {
    if (element.owner_ != std::to_underlying(group) + 1) std::abort();
    return *std::launder(reinterpret_cast<const Coordinates*>(element.room_.data()));
  }
};

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
    return on_clean_stack([&] { return encoded(value_of(scalar).invert()); });
  }

  // Horner's rule, one chunk of R = 2^(64 * limbs) after the other, from the most significant.
  [[nodiscard]] Scalar reduce_scalar(Bytes bytes, std::endian order) const final {
    return on_clean_stack([&] {
      constexpr std::size_t kChunk = 8 * F::kLimbs;
      std::array<std::uint8_t, kChunk + 1> r{};
      r[0] = 1;
      const auto R = F::reduce(r, std::endian::big);
      F value;
      for (auto rest = bytes; !rest.empty();) {
        const auto size = rest.size() % kChunk == 0 ? kChunk : rest.size() % kChunk;
        const bool big = order == std::endian::big;
        value = value * R + F::reduce(big ? rest.first(size) : rest.last(size), order);
        rest = big ? rest.subspan(size) : rest.first(rest.size() - size);
      }
      return encoded(value);
    });
  }

  [[nodiscard]] Scalar negate_scalar(const Scalar& scalar) const final {
    return on_clean_stack([&] { return encoded(-value_of(scalar)); });
  }
  [[nodiscard]] Scalar multiply_scalars(const Scalar& a, const Scalar& b) const final {
    return on_clean_stack([&] { return encoded(value_of(a) * value_of(b)); });
  }
  [[nodiscard]] Scalar add_scalars(const Scalar& a, const Scalar& b) const final {
    return on_clean_stack([&] { return encoded(value_of(a) + value_of(b)); });
  }

 protected:
  GroupWithScalars(GroupId id, HashId hash, std::size_t element_size) noexcept
      : Group(id, hash, F::kSize, element_size) {}

  [[nodiscard]] static std::span<const std::uint8_t, F::kSize> scalar_bytes(const Scalar& scalar) {
    return exactly<F::kSize>(scalar.reveal());
  }

 private:
  [[nodiscard]] static F value_of(const Scalar& scalar) { return F::reduce(scalar_bytes(scalar), kOrder); }
  [[nodiscard]] static Scalar encoded(const F& value) {
    return Scalar::make(F::kSize, [&](MutableBytes out) { value.encode(exactly<F::kSize>(out), kOrder); });
  }
};

}  // namespace pake::crypto
