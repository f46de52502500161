// ristretto255 (RFC 9496) by libsodium; its scalars by our own field.
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "clean_stack.h"
#include "groups.h"
#include "moduli.h"
#include "sodium_init.h"

namespace pake::crypto {
namespace {

constexpr std::size_t kSize = crypto_core_ristretto255_BYTES;
static_assert(kSize == 32 && crypto_core_ristretto255_SCALARBYTES == 32 && crypto_core_ristretto255_HASHBYTES == 64);

/// What an Element holds: libsodium takes and gives encodings alone.
struct RistrettoPoint {
  std::array<std::uint8_t, kSize> encoding{};
};

Element element_of(const RistrettoPoint& P) { return ElementAccess::make(GroupId::ristretto255, P); }
const RistrettoPoint& point_of(const Element& element) {
  return ElementAccess::get<RistrettoPoint>(GroupId::ristretto255, element);
}

class Ristretto255 final : public GroupWithScalars<Ristretto255Order, std::endian::little, 64> {
 public:
  using GroupWithScalars::decode;
  using GroupWithScalars::multiply;
  using GroupWithScalars::sum;

  Ristretto255() : GroupWithScalars(GroupId::ristretto255, HashId::sha512, kSize) { ensure_sodium(); }

  // The library's check lets the identity (32 zero bytes) pass, and (1.0.18) a second spelling of every element: it
  // ignores bit 255, which RFC 9496, Section 4.3.1 wants to be zero.
  [[nodiscard]] Status decode(std::span<Decoding> batch) const override {
    bool all_valid = true;
    for (auto& [bytes, element] : batch) {
      bool valid = bytes.size() == kSize && !ct_is_zero(bytes);
      if (valid) {
        const int top_bit = bytes.back() >> 7U;
        valid = declassify_value(crypto_core_ristretto255_is_valid_point(bytes.data()) & ~top_bit) == 1;
      }
      if (valid) {
        RistrettoPoint P;
        std::ranges::copy(bytes, P.encoding.begin());
        element = element_of(P);
      }
      all_valid &= valid;
    }
    return all_valid ? Status() : Status(fail(Errc::malformed));
  }

  [[nodiscard]] SecretUpTo<kMaxElementSize> encode(const Element& element) const override {
    return SecretUpTo<kMaxElementSize>::copy_of(point_of(element).encoding);
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
    return on_clean_stack<8192>([&] {
      bool identity = false;
      for (auto& product : batch) {
        RistrettoPoint P;
        identity |= !multiply_by_libsodium(*product.scalar, product.element, P);
        product.result = element_of(P);
      }
      return identity ? Status(fail(Errc::malformed)) : Status();
    });
  }

  [[nodiscard]] Element negate(const Element& element) const override {
    return on_clean_stack([&] {
      const RistrettoPoint identity;
      RistrettoPoint P;
      if (crypto_core_ristretto255_sub(P.encoding.data(), identity.encoding.data(),
                                       point_of(element).encoding.data()) != 0)
        std::abort();  // both are valid
      return element_of(P);
    });
  }

  [[nodiscard]] Result<Element> sum(std::span<const Term> terms) const override {
    if (terms.empty() || terms.size() > kMaxTerms) std::abort();
    return on_clean_stack<8192>([&]() -> Result<Element> {
      RistrettoPoint sum;  // the identity
      for (const auto& term : terms) {
        RistrettoPoint P;
        if (term.scalar != nullptr)
          static_cast<void>(multiply_by_libsodium(*term.scalar, term.element, P));
        else
          P = term.element != nullptr ? point_of(*term.element) : RistrettoPoint{.encoding = kGenerator};
        if (crypto_core_ristretto255_add(sum.encoding.data(), sum.encoding.data(), P.encoding.data()) != 0)
          std::abort();
      }
      if (ct_is_zero(sum.encoding)) return fail(Errc::malformed);
      return element_of(sum);
    });
  }

 private:
  // RFC 9496, Appendix A.1.
  static constexpr std::array<std::uint8_t, kSize> kGenerator = {
      0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
      0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76};

  /// Whether the product is not the identity, as which (zeros) it is left otherwise.
  [[nodiscard]] static bool multiply_by_libsodium(const Scalar& k, const Element* element, RistrettoPoint& product) {
    const auto* const scalar = scalar_bytes(k).data();
    auto* const out = product.encoding.data();
    const int refused = element == nullptr
                            ? crypto_scalarmult_ristretto255_base(out, scalar)
                            : crypto_scalarmult_ristretto255(out, scalar, point_of(*element).encoding.data());
    return declassify_value(refused) == 0;  // an Element is valid, so nothing but the identity is refused
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
    RistrettoPoint P;
    crypto_core_ristretto255_from_hash(P.encoding.data(), bytes.data());
    if (ct_is_zero(P.encoding)) return fail(Errc::malformed);
    return element_of(P);
  });
}

}  // namespace pake::crypto
