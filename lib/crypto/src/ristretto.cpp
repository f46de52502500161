// ristretto255 (RFC 9496) by libsodium; its scalars by our own field.
#include <sodium.h>

#include "clean_stack.h"
#include "groups.h"
#include "moduli.h"
#include "sodium_init.h"

namespace pake::crypto {
namespace {

constexpr std::size_t kSize = crypto_core_ristretto255_BYTES;
static_assert(kSize == 32 && crypto_core_ristretto255_SCALARBYTES == 32 && crypto_core_ristretto255_HASHBYTES == 64);

class Ristretto255 final : public GroupWithScalars<Ristretto255Order, std::endian::little, 64> {
 public:
  Ristretto255() : GroupWithScalars(GroupId::ristretto255, HashId::sha512, kSize) { ensure_sodium(); }

  // The library's check lets the identity (32 zero bytes) pass, and (1.0.18) a second spelling of every element: it
  // ignores bit 255, which RFC 9496, Section 4.3.1 wants to be zero.
  [[nodiscard]] Result<Element> decode(Bytes bytes) const override {
    if (bytes.size() != kSize || ct_is_zero(bytes)) return fail(Errc::malformed);
    const int top_bit = bytes.back() >> 7U;
    const int valid = crypto_core_ristretto255_is_valid_point(bytes.data()) & ~top_bit;
    if (declassify_value(valid) != 1) return fail(Errc::malformed);
    return Element::copy_of(bytes);
  }

  [[nodiscard]] SecretUpTo<kMaxElementSize> encode(const Element& element) const override {
    return SecretUpTo<kMaxElementSize>::copy_of(exactly<kSize>(element.reveal()));
  }

  [[nodiscard]] Result<Element> hash_to_group(std::initializer_list<Bytes> message_parts,
                                              std::initializer_list<Bytes> dst_parts) const override {
    return on_clean_stack([&] {
      const auto uniform =
          Secret<64>::make([&](MutableBytes out) { expand_message_xmd(hash(), message_parts, dst_parts, out); });
      return ristretto255_from_uniform(uniform.reveal());
    });
  }

  [[nodiscard]] Status multiply(std::span<Multiplication> batch) const override {
    return on_clean_stack<8192>([&] { return multiply_by_libsodium(batch); });
  }

 private:
  [[nodiscard]] static Status multiply_by_libsodium(std::span<Multiplication> batch) {
    bool identity = false;
    for (auto& product : batch) {
      const auto* scalar = exactly<kSize>(product.scalar->reveal()).data();
      product.result = Element::make(kSize, [&](MutableBytes out) {
        const int refused =
            product.element == nullptr
                ? crypto_scalarmult_ristretto255_base(out.data(), scalar)
                : crypto_scalarmult_ristretto255(out.data(), scalar, exactly<kSize>(product.element->reveal()).data());
        identity |= declassify_value(refused) != 0;  // an Element is valid, so nothing else is refused
      });
    }
    return identity ? Status(fail(Errc::malformed)) : Status();
  }
};

}  // namespace

const Group& ristretto255_group() noexcept {
  static const Ristretto255 group;
  return group;
}

Result<Element> ristretto255_from_uniform(std::span<const std::uint8_t, 64> bytes) {
  ensure_sodium();
  return on_clean_stack([&]() -> Result<Element> {
    auto element =
        Element::make(kSize, [&](MutableBytes out) { crypto_core_ristretto255_from_hash(out.data(), bytes.data()); });
    if (ct_is_zero(element.reveal())) return fail(Errc::malformed);
    return element;
  });
}

}  // namespace pake::crypto
