// Private to the room: the draft's G, one object a group (draft-irtf-cfrg-cpace-21, "CPace cipher suites").
#pragma once

#include <variant>

#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/group.h"
#include "pake/crypto/x25519.h"
#include "pake/proto/cpace/suite.h"

namespace pake::cpace {

// Curve25519's scalars (32 bytes) travel in the same type as the prime-order groups' own.
using crypto::Scalar;
using Generator = std::variant<crypto::Element, crypto::X25519Point>;
/// K: secret_size bytes, what enters the ISK.
using SharedPoint = SecretUpTo<crypto::kMaxScalarSize, struct SharedPointTag>;

/// The peer's share.
using PeerPoint = Generator;

class GroupEnvironment {
 public:
  [[nodiscard]] static const GroupEnvironment& get(Suite suite) noexcept;

  GroupEnvironment(const GroupEnvironment&) = delete;
  GroupEnvironment& operator=(const GroupEnvironment&) = delete;

  /// The secret generator for a generator_string. Errc::malformed if it is the identity, which never happens.
  [[nodiscard]] virtual Result<Generator> calculate_generator(Bytes generator_string) const = 0;

  /// Errc::unavailable when `rng` gives nothing that will do.
  [[nodiscard]] virtual Result<Scalar> sample_scalar(Rng& rng) const = 0;

  /// The own share, share_size bytes, public from here on.
  [[nodiscard]] virtual Result<Buffer> scalar_mult(const Scalar& y, const Generator& g) const = 0;

  /// The first half of scalar_mult_vfy, before anything is multiplied. Errc::malformed if `X` has another size or is no
  /// group element.
  [[nodiscard]] virtual Result<PeerPoint> decode(Bytes X) const = 0;
  /// K. Errc::malformed if `X` leads to the identity.
  [[nodiscard]] virtual Result<SharedPoint> agree(const Scalar& y, const PeerPoint& X) const = 0;

  //   K = scalar_mult_vfy(y, X): decode, then agree
  [[nodiscard]] Result<SharedPoint> scalar_mult_vfy(const Scalar& y, Bytes X) const;

 protected:
  GroupEnvironment() = default;
  ~GroupEnvironment() = default;
};

// One file each.
[[nodiscard]] const GroupEnvironment& ristretto255() noexcept;
[[nodiscard]] const GroupEnvironment& x25519() noexcept;
[[nodiscard]] const GroupEnvironment& nist(crypto::GroupId curve) noexcept;

}  // namespace pake::cpace
