// Private to the room: what SPAKE2 (RFC 9382) and SPAKE2+ (RFC 9383) have in common: their groups with the points M and
// N, how both documents encode elements and scalars, and how a transcript is put together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"
#include "pake/crypto/fixed_point.h"
#include "pake/crypto/group.h"

namespace pake::spake {

/// Octets of an element: SEC 1 uncompressed on the NIST curves, RFC 8032's form on edwards25519.
[[nodiscard]] std::size_t element_size(crypto::GroupId group) noexcept;
/// Octets of a scalar: those of the group's order.
[[nodiscard]] std::size_t scalar_size(crypto::GroupId group) noexcept;

using EncodedElement = SecretUpTo<crypto::kMaxUncompressedSize>;
[[nodiscard]] EncodedElement encode(crypto::GroupId group, const crypto::Element& element);
/// Errc::malformed unless the bytes are exactly one element of the subgroup of prime order, and not the identity.
[[nodiscard]] Result<crypto::Element> decode(crypto::GroupId group, Bytes bytes);

/// Scalars are big-endian in both documents, whatever the group.
using EncodedScalar = SecretUpTo<crypto::kMaxScalarSize>;
[[nodiscard]] EncodedScalar encode_scalar(const crypto::Scalar& scalar, crypto::GroupId group);
/// scalar_size(group) bytes with a value from 1 to the order less one, else Errc::malformed.
[[nodiscard]] Result<crypto::Scalar> decode_scalar(crypto::GroupId group, Bytes bytes);

/// A point that blinds, and its encoding as transcripts have it.
struct BlindingPoint {
  crypto::Element point;
  crypto::FixedPoint fixed;
  Buffer encoded;
};
/// RFC 9382, Section 6, Table "M and N"; RFC 9383 uses the same. Decoded once.
[[nodiscard]] const BlindingPoint& M(crypto::GroupId group);
[[nodiscard]] const BlindingPoint& N(crypto::GroupId group);

/// x*P + w*B, by which a share is made. Errc::malformed for the identity (never seen: x is random).
[[nodiscard]] Result<crypto::Element> blind(crypto::GroupId group, const crypto::Scalar& x, const crypto::Scalar& w,
                                            const crypto::Element& B);
[[nodiscard]] Result<crypto::Element> blind(crypto::GroupId group, const crypto::Scalar& x, const crypto::Scalar& w,
                                            const BlindingPoint& B);
/// Q - w*B, by which one is opened. Errc::malformed for the identity.
[[nodiscard]] Result<crypto::Element> unblind(crypto::GroupId group, const crypto::Element& Q, const crypto::Scalar& w,
                                              const crypto::Element& B);
[[nodiscard]] Result<crypto::Element> unblind(crypto::GroupId group, const crypto::Element& Q, const crypto::Scalar& w,
                                              const BlindingPoint& B);
/// h*x modulo the order, h being the cofactor: every element that was decoded is in the subgroup of prime order, so it
/// may as well enter the scalar.
[[nodiscard]] crypto::Scalar times_cofactor(crypto::GroupId group, const crypto::Scalar& x);

/// len(S): eight octets, little-endian.
[[nodiscard]] std::array<std::uint8_t, 8> len(Bytes S) noexcept;
/// len(S) || S || ...
[[nodiscard]] SecretBuffer with_lengths(std::initializer_list<Bytes> strings);

}  // namespace pake::spake
