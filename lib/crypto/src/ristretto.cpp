// ristretto255 (RFC 9496) in the lanes of a vector unit if the processor has one for it, else one point after the
// other; its scalars by our own field. libsodium is what tests and benchmarks compare it with.
#include <sodium.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "clean_stack.h"
#include "groups.h"
#include "lanes/lanes.h"
#include "moduli.h"
#include "pake/crypto/backend.h"
#include "sodium_init.h"

namespace pake::crypto {
namespace {

constexpr std::size_t kSize = crypto_core_ristretto255_BYTES;
static_assert(kSize == 32 && crypto_core_ristretto255_SCALARBYTES == 32 && crypto_core_ristretto255_HASHBYTES == 64);

/// Null for libsodium.
std::atomic<const lanes::Backend*>& backend() noexcept {
  static std::atomic<const lanes::Backend*> chosen = lanes::best();
  return chosen;
}

/// What computes `count` points at once, if `lanes` is in use.
const lanes::Backend& lanes_for(std::size_t count, const lanes::Backend& lanes) noexcept {
  if (count < lanes.fewest) return *lanes::portable();
  const auto* const wide = count > lanes.lanes && &lanes == lanes::avx512_ifma() ? lanes::avx512_ifma_wide() : nullptr;
  return wide != nullptr ? *wide : lanes;
}

/// What an Element holds, one of the two at least: its encoding, which is all that libsodium takes and gives, and the
/// coordinates that the lanes compute with.
struct RistrettoPoint {
  std::array<std::uint8_t, kSize> encoding{};
  lanes::Point coordinates{};
  bool has_encoding = false;
  bool has_coordinates = false;
};

Element element_of(const RistrettoPoint& P) { return ElementAccess::make(GroupId::ristretto255, P); }
const RistrettoPoint& point_of(const Element& element) {
  return ElementAccess::get<RistrettoPoint>(GroupId::ristretto255, element);
}

// Tests choose between back ends, so a point may lack what the one in use needs.
std::array<std::uint8_t, kSize> encoding_of(const RistrettoPoint& P) {
  if (P.has_encoding) return P.encoding;
  std::array<std::uint8_t, kSize> encoding;
  std::uint8_t out[1][kSize];
  const lanes::Point* const point = &P.coordinates;
  const auto* const lanes = backend().load();
  (lanes == nullptr ? *lanes::portable() : lanes_for(1, *lanes)).encode(&point, 1, out);
  std::ranges::copy(out[0], encoding.begin());
  return encoding;
}
const lanes::Point& coordinates_of(const RistrettoPoint& P, const lanes::Backend& lanes, lanes::Point& room) {
  if (P.has_coordinates) return P.coordinates;
  const std::uint8_t* const encoding = P.encoding.data();
  std::uint64_t valid = 0;
  lanes_for(1, lanes).decode(&encoding, 1, &room, &valid);
  return room;
}

class Ristretto255 final : public GroupWithScalars<Ristretto255Order, std::endian::little, 64> {
 public:
  using GroupWithScalars::decode;
  using GroupWithScalars::multiply;
  using GroupWithScalars::sum;

  Ristretto255() : GroupWithScalars(GroupId::ristretto255, HashId::sha512, kSize) { ensure_sodium(); }

  [[nodiscard]] Status decode(std::span<Decoding> batch) const override {
    const auto decode_all = [&] {
      const auto* const lanes = backend().load();
      bool valid = true;
      for (; !batch.empty(); batch = batch.subspan(std::min(batch.size(), lanes::kMostLanes)))
        valid &= decode_some(batch.first(std::min(batch.size(), lanes::kMostLanes)), lanes);
      return valid ? Status() : Status(fail(Errc::malformed));
    };
    return batch.size() > 4 ? on_clean_stack<16384>(decode_all) : on_clean_stack<8192>(decode_all);
  }

  [[nodiscard]] SecretUpTo<kMaxElementSize> encode(const Element& element) const override {
    const auto& P = point_of(element);
    if (P.has_encoding) return SecretUpTo<kMaxElementSize>::copy_of(P.encoding);
    return on_clean_stack<8192>([&] { return SecretUpTo<kMaxElementSize>::copy_of(encoding_of(P)); });
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
    const auto multiply_all = [&] {
      bool identity = false;
      const auto* const lanes = backend().load();
      while (!batch.empty()) {
        if (lanes != nullptr) {
          batch = multiply_some(batch, *lanes, identity);
          continue;
        }
        RistrettoPoint P;
        identity |= !multiply_by_libsodium(*batch[0].scalar, batch[0].element, P);
        batch[0].result = element_of(P);
        batch = batch.subspan(1);
      }
      return identity ? Status(fail(Errc::malformed)) : Status();
    };
    return batch.size() > 4 ? on_clean_stack<kStackOfWideProducts>(multiply_all)
                            : on_clean_stack<kStackOfProducts>(multiply_all);
  }

  [[nodiscard]] Element negate(const Element& element) const override {
    return on_clean_stack([&] {
      const RistrettoPoint identity;
      RistrettoPoint P{.has_encoding = true};
      const auto encoding = encoding_of(point_of(element));
      if (crypto_core_ristretto255_sub(P.encoding.data(), identity.encoding.data(), encoding.data()) != 0)
        std::abort();  // both are valid
      return element_of(P);
    });
  }

  [[nodiscard]] Result<Element> sum(std::span<const Term> terms) const override {
    if (terms.empty() || terms.size() > kMaxTerms) std::abort();
    return on_clean_stack<kStackOfProducts>([&]() -> Result<Element> {
      std::array<Multiplication, kMaxTerms> room;
      std::size_t count = 0;
      for (const auto& term : terms)
        if (term.scalar != nullptr) room[count++] = {.scalar = term.scalar, .element = term.element};
      // A product may be the identity and the sum no less an element.
      static_cast<void>(multiply(std::span(room).first(count)));
      RistrettoPoint sum{.has_encoding = true};  // the identity
      const auto add = [&](const std::array<std::uint8_t, kSize>& encoding) {
        if (crypto_core_ristretto255_add(sum.encoding.data(), sum.encoding.data(), encoding.data()) != 0) std::abort();
      };
      for (const auto& product : std::span(room).first(count)) add(encoding_of(point_of(product.result)));
      for (const auto& term : terms)
        if (term.scalar == nullptr) add(term.element == nullptr ? kGenerator : encoding_of(point_of(*term.element)));
      if (ct_is_zero(sum.encoding)) return fail(Errc::malformed);
      return element_of(sum);
    });
  }

 private:
  // RFC 9496, Appendix A.1.
  static constexpr std::array<std::uint8_t, kSize> kGenerator = {
      0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
      0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76};

  // The lanes keep a table of multiples of each point.
  static constexpr std::size_t kStackOfProducts = 16384;
  static constexpr std::size_t kStackOfWideProducts = 32768;  // eight lanes: it is twice as large

  /// At most kMostLanes members.
  [[nodiscard]] static bool decode_some(std::span<Decoding> batch, const lanes::Backend* lanes) {
    std::array<const std::uint8_t*, lanes::kMostLanes> encodings{};
    std::array<Decoding*, lanes::kMostLanes> members{};
    std::size_t count = 0;
    for (auto& member : batch) {
      if (member.bytes.size() != kSize || ct_is_zero(member.bytes)) continue;
      members[count] = &member;
      encodings[count++] = member.bytes.data();
    }
    bool all_valid = count == batch.size();
    if (count == 0) return all_valid;
    std::array<lanes::Point, lanes::kMostLanes> points{};
    std::array<std::uint64_t, lanes::kMostLanes> valid{};
    if (lanes != nullptr)
      lanes_for(count, *lanes).decode(encodings.data(), count, points.data(), valid.data());
    else
      for (std::size_t i = 0; i < count; ++i)
        valid[i] = is_valid_by_libsodium(members[i]->bytes) ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (declassify_value(valid[i]) == 0) {
        all_valid = false;
        continue;
      }
      RistrettoPoint P{.coordinates = points[i], .has_encoding = true, .has_coordinates = lanes != nullptr};
      std::ranges::copy(members[i]->bytes, P.encoding.begin());
      members[i]->element = element_of(P);
    }
    return all_valid;
  }

  // The library's check lets the identity (32 zero bytes) pass, and (1.0.18) a second spelling of every element: it
  // ignores bit 255, which RFC 9496, Section 4.3.1 wants to be zero.
  [[nodiscard]] static bool is_valid_by_libsodium(Bytes bytes) {
    const int top_bit = bytes.back() >> 7U;
    return declassify_value(crypto_core_ristretto255_is_valid_point(bytes.data()) & ~top_bit) == 1;
  }

  /// Computes the first products of the batch and returns the rest: one of the generator, or as many others as one call
  /// takes.
  [[nodiscard]] static std::span<Multiplication> multiply_some(std::span<Multiplication> batch,
                                                               const lanes::Backend& lanes, bool& identity) {
    const auto finish = [&](Multiplication& member, RistrettoPoint& P) {
      P.has_encoding = P.has_coordinates = true;
      identity |= ct_is_zero(P.encoding);
      member.result = element_of(P);
    };
    if (batch[0].element == nullptr) {
      RistrettoPoint product;
      lanes_for(1, lanes).multiply_generator(scalar_bytes(*batch[0].scalar).data(), &product.coordinates,
                                             product.encoding.data());
      finish(batch[0], product);
      return batch.subspan(1);
    }
    std::array<const std::uint8_t*, lanes::kMostLanes> scalars{};
    std::array<const lanes::Point*, lanes::kMostLanes> points{};
    std::array<lanes::Point, lanes::kMostLanes> room{}, results{};
    std::size_t count = 0;
    for (; count < points.size() && count < batch.size() && batch[count].element != nullptr; ++count) {
      scalars[count] = scalar_bytes(*batch[count].scalar).data();
      points[count] = &coordinates_of(point_of(*batch[count].element), lanes, room[count]);
    }
    std::uint8_t encodings[lanes::kMostLanes][kSize];
    lanes_for(count, lanes).multiply(scalars.data(), points.data(), count, results.data(), encodings);
    for (std::size_t i = 0; i < count; ++i) {
      RistrettoPoint product{.coordinates = results[i]};
      std::ranges::copy(encodings[i], product.encoding.begin());
      finish(batch[i], product);
    }
    return batch.subspan(count);
  }

  /// Whether the product is not the identity, as which (zeros) it is left otherwise.
  [[nodiscard]] static bool multiply_by_libsodium(const Scalar& k, const Element* element, RistrettoPoint& product) {
    const auto* const scalar = scalar_bytes(k).data();
    auto* const out = product.encoding.data();
    const int refused = element == nullptr
                            ? crypto_scalarmult_ristretto255_base(out, scalar)
                            : crypto_scalarmult_ristretto255(out, scalar, encoding_of(point_of(*element)).data());
    product.has_encoding = true;
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
  return on_clean_stack<8192>([&]() -> Result<Element> {
    RistrettoPoint P;
    if (const auto* const lanes = backend().load()) {
      if (declassify_value(lanes_for(1, *lanes).from_uniform(bytes.data(), &P.coordinates)) != 0)
        return fail(Errc::malformed);
      P.has_coordinates = true;
      return element_of(P);
    }
    crypto_core_ristretto255_from_hash(P.encoding.data(), bytes.data());
    if (ct_is_zero(P.encoding)) return fail(Errc::malformed);
    P.has_encoding = true;
    return element_of(P);
  });
}

std::string_view to_string(RistrettoBackend backend) noexcept {
  switch (backend) {
    case RistrettoBackend::libsodium:
      return "libsodium";
    case RistrettoBackend::portable:
      return "portable";
    case RistrettoBackend::avx2:
      return "AVX2";
    case RistrettoBackend::avx512_ifma:
      return "AVX-512 IFMA";
  }
  return "unknown";
}

RistrettoBackend ristretto255_backend() noexcept {
  const auto* const lanes = backend().load();
  return lanes == nullptr             ? RistrettoBackend::libsodium
         : lanes == lanes::portable() ? RistrettoBackend::portable
         : lanes == lanes::avx2()     ? RistrettoBackend::avx2
                                      : RistrettoBackend::avx512_ifma;
}

bool choose_ristretto255_backend(RistrettoBackend wanted) noexcept {
  const auto* const lanes = wanted == RistrettoBackend::portable      ? lanes::portable()
                            : wanted == RistrettoBackend::avx2        ? lanes::avx2()
                            : wanted == RistrettoBackend::avx512_ifma ? lanes::avx512_ifma()
                                                                      : nullptr;
  if (lanes == nullptr && wanted != RistrettoBackend::libsodium) return false;
  backend().store(lanes);
  return true;
}

}  // namespace pake::crypto
