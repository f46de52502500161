// Private to the room: the group of the AKE (RFC 9807, Section 6.4.1), a prime-order group or Curve25519.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"
#include "pake/crypto/group.h"
#include "pake/proto/opaque/messages.h"
#include "pake/proto/opaque/suite.h"

namespace pake::opaque {

using crypto::Multiplication;

/// A private key of the AKE: a scalar that is not zero, or 32 bytes of X25519.
using PrivateKey = crypto::Scalar;
/// A public key or a Diffie-Hellman result as bytes: Npk of them.
using EncodedElement = SecretUpTo<crypto::kMaxElementSize>;
using Seed = Secret<kNseed, struct SeedTag>;

struct KeyPair {
  PrivateKey private_key;
  PublicKey public_key;
};

/// One member of a batch: result = DiffieHellman(k, B), serialised.
struct DiffieHellman {
  const PrivateKey* k;
  const PublicKey* B;
  EncodedElement result{};  // NOLINT(readability-redundant-member-init): lets a batch leave it out
};

/// What most messages carry beside each other.
struct ElementAndKey {
  OprfElement element;
  PublicKey key;
};

class Ake {
 public:
  [[nodiscard]] static const Ake& get(SuiteId suite) noexcept;

  Ake(const Ake&) = delete;
  Ake& operator=(const Ake&) = delete;

  /// DeriveDiffieHellmanKeyPair(seed).
  [[nodiscard]] virtual Result<KeyPair> derive_diffie_hellman_key_pair(const Seed& seed) const = 0;
  [[nodiscard]] virtual Result<PrivateKey> decode_private_key(Bytes bytes) const = 0;
  [[nodiscard]] virtual Result<PublicKey> public_key_of(const PrivateKey& private_key) const = 0;
  [[nodiscard]] virtual Result<PublicKey> decode_public_key(Bytes bytes) const = 0;
  /// Both at once, which is less work where both are of one group.
  [[nodiscard]] virtual Result<ElementAndKey> decode_element_and_key(Bytes oprf_element, Bytes key) const = 0;
  /// Many of either; each is decoded for itself.
  [[nodiscard]] virtual std::vector<Result<PublicKey>> decode_public_keys(std::span<const Bytes> batch) const = 0;
  struct Both {
    Bytes oprf_element;
    Bytes key;
  };
  [[nodiscard]] virtual std::vector<Result<ElementAndKey>> decode_elements_and_keys(
      std::span<const Both> batch) const = 0;
  [[nodiscard]] virtual EncodedElement encode_public_key(const PublicKey& key) const = 0;

  /// At most kMaxBatch members. Errc::malformed if a result is the identity (or zero, for X25519).
  [[nodiscard]] virtual Status diffie_hellman(std::span<DiffieHellman> batch) const = 0;
  /// The same with one product of the OPRF's group beside it: one batch if both groups are the same.
  [[nodiscard]] virtual Status evaluate_and_diffie_hellman(Multiplication& evaluation,
                                                           std::span<DiffieHellman> batch) const = 0;
  static constexpr std::size_t kMaxBatch = 3;

  /// What `evaluate_and_diffie_hellman` takes.
  struct Login {
    Multiplication evaluation;
    std::array<DiffieHellman, kMaxBatch> dh;
  };
  /// The same of many logins, in one batch if both groups are the same. Errc::malformed if any result is the identity.
  [[nodiscard]] virtual Status evaluate_and_diffie_hellman(std::span<Login> logins) const = 0;

 protected:
  Ake() = default;
  ~Ake() = default;
};

}  // namespace pake::opaque
