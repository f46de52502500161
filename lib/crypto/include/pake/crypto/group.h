// The prime-order groups of OPAQUE and CPace: ristretto255 (RFC 9496), P-256, P-384, P-521, with hashing to them (RFC
// 9380).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/hash.h"

namespace pake::crypto {

enum class GroupId : std::uint8_t { ristretto255, p256, p384, p521 };

inline constexpr std::size_t kMaxScalarSize = 66;         // P-521
inline constexpr std::size_t kMaxElementSize = 67;        // P-521, SEC1 compressed
inline constexpr std::size_t kMaxUncompressedSize = 133;  // P-521, SEC1 uncompressed
inline constexpr std::size_t kMaxCoordinatesSize = 132;   // P-521, x || y

/// An integer modulo the group's order, in the group's own serialisation: 32 bytes little-endian for ristretto255,
/// 32, 48 or 66 bytes big-endian for the NIST curves; always reduced.
using Scalar = SecretUpTo<kMaxScalarSize, struct ScalarTag>;

/// A point that has been decoded or computed, hence valid and not the identity. It may be secret (CPace's generator
/// is), so it is wiped at its end. Inside: ristretto255's 32-byte encoding, or the NIST curves' affine x || y,
/// big-endian.
using Element = SecretUpTo<kMaxCoordinatesSize, struct ElementTag>;

/// One scalar multiplication of a batch: result = scalar * element, or scalar * generator where `element` is null.
/// The pointers are read during `Group::multiply` only.
struct Multiplication {
  const Scalar* scalar;
  const Element* element;
  Element result{};  // NOLINT(readability-redundant-member-init): lets a batch leave it out
};

/// One group with everything a protocol asks of it. Stateless: any thread may use the one instance.
class Group {
 public:
  [[nodiscard]] static const Group& get(GroupId id) noexcept;

  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  virtual ~Group() = default;

  [[nodiscard]] GroupId id() const noexcept { return id_; }
  /// The hash of the suites over this group: SHA-512, SHA-256, SHA-384, SHA-512.
  [[nodiscard]] HashId hash() const noexcept { return hash_; }
  /// Bytes of a serialised scalar (Nok, Nsk): 32, 32, 48, 66.
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
  /// Whether the scalar is zero: then it is no key and no blind. The answer is public.
  [[nodiscard]] static bool is_zero(const Scalar& scalar) noexcept { return ct_is_zero(scalar.reveal()); }

  // --- Elements.

  /// DeserializeElement: exactly element_size() bytes, the one canonical encoding (ristretto255; SEC1 tag 02 or 03), on
  /// the curve, not the identity; else Errc::malformed.
  [[nodiscard]] virtual Result<Element> decode(Bytes bytes) const = 0;
  /// SerializeElement: element_size() bytes.
  [[nodiscard]] virtual SecretUpTo<kMaxElementSize> encode(const Element& element) const = 0;

  /// HashToGroup: RFC 9380's random-oracle suite (..._SSWU_RO_), or for ristretto255 expand_message_xmd and RFC 9496's
  /// map. Errc::malformed where the result is the identity (RFC 9497's InvalidInputError; never seen).
  [[nodiscard]] virtual Result<Element> hash_to_group(std::initializer_list<Bytes> message_parts,
                                                      std::initializer_list<Bytes> dst_parts) const = 0;

  /// Computes every product of the batch. Independent ones belong into one call: an implementation may run them side by
  /// side. Errc::malformed where any product is the identity (the others are computed all the same). In constant time.
  [[nodiscard]] virtual Status multiply(std::span<Multiplication> batch) const = 0;

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
