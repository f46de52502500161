// The prime-order groups of the PAKEs: ristretto255 (RFC 9496), P-256, P-384, P-521, with hashing to them (RFC 9380),
// and the subgroup of prime order of edwards25519 (RFC 8032).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/hash.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

enum class GroupId : std::uint8_t { ristretto255, p256, p384, p521, edwards25519 };

inline constexpr std::size_t kMaxScalarSize = 66;         // P-521
inline constexpr std::size_t kMaxElementSize = 67;        // P-521, SEC1 compressed
inline constexpr std::size_t kMaxUncompressedSize = 133;  // P-521, SEC1 uncompressed

/// An integer modulo the group's order, in the group's own serialisation: 32 bytes little-endian for ristretto255
/// and edwards25519, 32, 48 or 66 bytes big-endian for the NIST curves; always reduced.
using Scalar = SecretUpTo<kMaxScalarSize, struct ScalarTag>;

/// A point that has been decoded or computed, hence valid and not the identity, in coordinates that only its group
/// knows. It may be secret (CPace's generator is), so it is moved and never silently copied, and wiped at its end.
class Element {
 public:
  Element() = default;
  Element(const Element&) = delete;
  Element& operator=(const Element&) = delete;
  Element(Element&& other) noexcept { take(other); }
  Element& operator=(Element&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  ~Element() { clear(); }

  [[nodiscard]] Element copy() const noexcept;
  /// Whether it was default-constructed or moved from: then it is no point, and every use of it aborts.
  [[nodiscard]] bool empty() const noexcept { return owner_ == 0; }
  /// Whether it is a point of this group.
  [[nodiscard]] bool is_of(GroupId group) const noexcept { return owner_ == static_cast<std::uint8_t>(group) + 1; }

 private:
  friend struct ElementAccess;  // the room's own door
  void take(Element& other) noexcept;
  void clear() noexcept;

  static constexpr std::size_t kRoom = 208;
  alignas(8) std::array<std::byte, kRoom> room_{};
  std::uint8_t owner_ = 0;  // the group's number + 1
};

/// One scalar multiplication of a batch: result = scalar * element, or scalar * generator if `element` is null.
/// The pointers are read during `Group::multiply` only.
struct Multiplication {
  const Scalar* scalar;
  const Element* element;
  Element result{};  // NOLINT(readability-redundant-member-init): lets a batch leave it out
};

/// One term of a sum: scalar * element. A null scalar is 1, a null element the generator.
struct Term {
  const Scalar* scalar;
  const Element* element;
};

/// One encoding of a batch to decode, and what became of it. The view is read during `Group::decode` only.
struct Decoding {
  Bytes bytes;
  Element element{};  // NOLINT(readability-redundant-member-init): lets a batch leave it out
};

/// One group with everything a protocol asks of it. Stateless: any thread may use the one instance.
class Group {
 public:
  [[nodiscard]] static const Group& get(GroupId id) noexcept;

  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  virtual ~Group() = default;

  [[nodiscard]] GroupId id() const noexcept { return id_; }
  /// The hash of the OPRF's suites over this group: SHA-512, SHA-256, SHA-384, SHA-512. (SHA-512 for edwards25519,
  /// which has no such suite.)
  [[nodiscard]] HashId hash() const noexcept { return hash_; }
  /// Bytes of a serialised scalar (Nok, Nsk): 32, 32, 48, 66, 32.
  [[nodiscard]] std::size_t scalar_size() const noexcept { return scalar_size_; }
  /// Bytes of a serialised element (Noe, Npk): 32, or SEC1 compressed 33, 49, 67.
  [[nodiscard]] std::size_t element_size() const noexcept { return element_size_; }

  // --- Scalars, in constant time. A Scalar or Element of another group, or one that was moved from, aborts.

  /// Exactly scalar_size() bytes with a value below the order, else Errc::malformed. Zero decodes; see `is_zero`.
  [[nodiscard]] virtual Result<Scalar> decode_scalar(Bytes bytes) const = 0;
  /// Uniform in [1, order - 1]: scalar_size() bytes from `rng`, bits above the order's length cleared, drawn again
  /// until in range. Errc::unavailable after 128 draws out of range: the source is broken (an honest one does so with
  /// probability 2^-128).
  [[nodiscard]] virtual Result<Scalar> random_scalar(Rng& rng) const = 0;
  /// HashToScalar of RFC 9497 with this suite's rule; the DST is the concatenation of `dst_parts`, the message that of
  /// `message_parts`.
  [[nodiscard]] virtual Scalar hash_to_scalar(std::initializer_list<Bytes> message_parts,
                                              std::initializer_list<Bytes> dst_parts) const = 0;
  /// 1 / scalar modulo the order by Fermat's exponentiation; 0 for 0.
  [[nodiscard]] virtual Scalar invert(const Scalar& scalar) const = 0;
  /// Any number of bytes, in either order, modulo the group's order (w0s and w1s of SPAKE2+, a password's hash).
  [[nodiscard]] virtual Scalar reduce_scalar(Bytes bytes, std::endian order) const = 0;
  /// order - scalar; 0 for 0.
  [[nodiscard]] virtual Scalar negate_scalar(const Scalar& scalar) const = 0;
  /// a * b modulo the order.
  [[nodiscard]] virtual Scalar multiply_scalars(const Scalar& a, const Scalar& b) const = 0;
  /// a + b modulo the order.
  [[nodiscard]] virtual Scalar add_scalars(const Scalar& a, const Scalar& b) const = 0;
  /// Whether the scalar is zero: then it is no key and no blind. The answer is public.
  [[nodiscard]] static bool is_zero(const Scalar& scalar) noexcept { return ct_is_zero(scalar.reveal()); }

  // --- Elements.

  /// DeserializeElement: exactly element_size() bytes, the one canonical encoding (ristretto255; SEC1 tag 02 or 03;
  /// RFC 8032), on the curve, in the subgroup of prime order, not the identity; else Errc::malformed.
  [[nodiscard]] Result<Element> decode(Bytes bytes) const;
  /// Decodes a whole batch: independent ones belong into one call. Errc::malformed if any is malformed; the others are
  /// decoded all the same.
  [[nodiscard]] virtual Status decode(std::span<Decoding> batch) const = 0;
  /// SerializeElement: element_size() bytes. Free for an element that was decoded or is a product.
  [[nodiscard]] virtual SecretUpTo<kMaxElementSize> encode(const Element& element) const = 0;

  /// HashToGroup: RFC 9380's random-oracle suite (..._SSWU_RO_), or for ristretto255 expand_message_xmd and RFC 9496's
  /// map. Errc::malformed if the result is the identity (RFC 9497's InvalidInputError; never seen); Errc::misuse for
  /// edwards25519, for which nobody asks.
  [[nodiscard]] virtual Result<Element> hash_to_group(std::initializer_list<Bytes> message_parts,
                                                      std::initializer_list<Bytes> dst_parts) const = 0;

  /// Computes every product of the batch. Independent ones belong into one call: an implementation may run them side by
  /// side. Errc::malformed if any product is the identity (the others are computed all the same). In constant time.
  [[nodiscard]] virtual Status multiply(std::span<Multiplication> batch) const = 0;

  /// The sum of at most kMaxTerms terms, as x*P + w*M and X - w*M of SPAKE2 are (the latter with a negated w), in
  /// constant time. Errc::malformed if it is the identity. More terms, or none, abort.
  [[nodiscard]] virtual Result<Element> sum(std::span<const Term> terms) const = 0;
  static constexpr std::size_t kMaxTerms = 4;
  [[nodiscard]] Result<Element> sum(std::initializer_list<Term> terms) const {
    return sum(std::span<const Term>(terms.begin(), terms.size()));
  }
  [[nodiscard]] virtual Element negate(const Element& element) const = 0;
  /// P + Q and P - Q. Errc::malformed if that is the identity.
  [[nodiscard]] Result<Element> add(const Element& P, const Element& Q) const;
  [[nodiscard]] Result<Element> subtract(const Element& P, const Element& Q) const;

  /// One product; `multiply` of a batch of one.
  [[nodiscard]] Result<Element> multiply(const Scalar& scalar, const Element& element) const;
  [[nodiscard]] Result<Element> multiply_generator(const Scalar& scalar) const;

 protected:
  Group(GroupId id, HashId hash, std::size_t scalar_size, std::size_t element_size) noexcept
      : id_(id), hash_(hash), scalar_size_(scalar_size), element_size_(element_size) {}

 private:
  GroupId id_;
  HashId hash_;
  std::size_t scalar_size_;
  std::size_t element_size_;
};

/// RFC 9496's one-way map from 64 uniform bytes, as CPace uses it on a plain SHA-512; the identity (never seen) is
/// Errc::malformed.
[[nodiscard]] Result<Element> ristretto255_from_uniform(std::span<const std::uint8_t, 64> bytes);

// The NIST curves beyond `Group`: what CPace needs besides. Another group is the caller's bug and aborts.

/// encode_to_curve, the non-uniform suite (..._SSWU_NU_).
[[nodiscard]] Element nist_encode_to_curve(GroupId curve, Bytes message, Bytes dst);
/// SEC1 uncompressed, exactly 04 || x || y (65, 97, 133 bytes) with x, y < p on the curve; else Errc::malformed.
[[nodiscard]] Result<Element> nist_decode_uncompressed(GroupId curve, Bytes bytes);
[[nodiscard]] SecretUpTo<kMaxUncompressedSize> nist_encode_uncompressed(GroupId curve, const Element& element);
/// The x coordinate, big-endian: 32, 48 or 66 bytes.
[[nodiscard]] SecretUpTo<kMaxScalarSize> nist_x_coordinate(GroupId curve, const Element& element);

}  // namespace pake::crypto

PAKE_EXPORT_END
