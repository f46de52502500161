// The server's long-term secrets, and whoever holds them.
#pragma once

#include <memory>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"
#include "pake/proto/opaque/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

/// What the server asks of its long-term secrets, once a registration and once a login. It holds no secret, so it can
/// travel to another process or device.
///
///   version (1) = 01 || suite (1) || lp2(credential_identifier) || blinded_message (Noe) || has_keyshare (1) ||
///   keyshare
struct KeyOperation {
  SuiteId suite;
  Buffer credential_identifier;
  Buffer blinded_message;         // Noe bytes, a valid element
  Buffer client_public_keyshare;  // Npk bytes, a valid public key; empty at registration

  /// Of an operation with the sizes above; the identifier has at most kMaxInputSize bytes.
  [[nodiscard]] Buffer encode() const;
  /// Errc::malformed for anything that `encode` does not write. Whether the elements are valid is for the holder to
  /// say, which decodes them anyway.
  [[nodiscard]] static Result<KeyOperation> decode(Bytes bytes);
};

/// The answer of a holder. On the way back it wants a confidential channel: dh2 is secret.
///
///   version (1) = 01 || suite (1) || evaluated_message (Noe) || has_dh2 (1) || dh2 (Npk)
struct KeyOperationAnswer {
  Buffer evaluated_message;                 // oprf_key * blinded_message, Noe bytes
  SecretUpTo<crypto::kMaxElementSize> dh2;  // DiffieHellman(server_private_key, client_public_keyshare), or empty

  [[nodiscard]] SecretBuffer encode(SuiteId suite) const;
  /// Errc::malformed for anything that `encode` does not write in this suite.
  [[nodiscard]] static Result<KeyOperationAnswer> decode(SuiteId suite, Bytes bytes);
};

class ServerKeys;

/// Whoever holds oprf_seed and the server's private key: this process (`ServerKeys`), or a device that lets neither
/// out. Any thread may use it.
class KeyHolder {
 public:
  KeyHolder() = default;
  virtual ~KeyHolder() = default;

  [[nodiscard]] virtual SuiteId suite() const noexcept = 0;
  /// server_public_key: Npk bytes.
  [[nodiscard]] virtual Bytes public_key() const noexcept = 0;
  /// Answers one operation; it may block for as long as the device takes. Errc::unavailable if it cannot.
  [[nodiscard]] virtual Result<KeyOperationAnswer> answer(const KeyOperation& operation) const = 0;
  /// The secrets themselves if they are in this process: then nobody waits, and a login's multiplications run in one
  /// batch. Otherwise null.
  [[nodiscard]] virtual const ServerKeys* in_memory() const noexcept { return nullptr; }

 protected:
  KeyHolder(const KeyHolder&) = default;
  KeyHolder(KeyHolder&&) = default;
  KeyHolder& operator=(const KeyHolder&) = default;
  KeyHolder& operator=(KeyHolder&&) = default;
};

/// One operation and whom to ask, whom it keeps alive: to be run on any thread.
struct KeyJob {
  std::shared_ptr<const KeyHolder> holder;
  KeyOperation operation;

  /// The errors of the holder.
  [[nodiscard]] Result<KeyOperationAnswer> run() const { return holder->answer(operation); }
};

/// oprf_seed and the AKE key pair of one suite, in this process's memory.
class ServerKeys final : public KeyHolder {
 public:
  struct Encoded {
    OwnedBytes oprf_seed;    // Nh bytes
    OwnedBytes private_key;  // Nsk bytes: a canonical scalar that is not zero, or any 32 bytes for X25519
  };

  /// Fresh secrets. Draws oprf_seed (Nh bytes) and the key pair's seed from `rng`.
  [[nodiscard]] static Result<ServerKeys> generate(SuiteId suite, Rng& rng);
  /// Secrets that were stored: Errc::malformed if they do not have the stated form.
  [[nodiscard]] static Result<ServerKeys> decode(SuiteId suite, const Encoded& secrets);

  [[nodiscard]] SuiteId suite() const noexcept override { return suite_; }
  [[nodiscard]] Bytes public_key() const noexcept override { return public_key_; }
  [[nodiscard]] Result<KeyOperationAnswer> answer(const KeyOperation& operation) const override;
  [[nodiscard]] const ServerKeys* in_memory() const noexcept override { return this; }

  [[nodiscard]] const crypto::Digest& oprf_seed() const noexcept { return oprf_seed_; }
  [[nodiscard]] const crypto::Scalar& private_key() const noexcept { return private_key_; }

 private:
  ServerKeys(SuiteId suite, crypto::Digest oprf_seed, crypto::Scalar private_key, Buffer public_key) noexcept;

  SuiteId suite_;
  crypto::Digest oprf_seed_;
  crypto::Scalar private_key_;
  Buffer public_key_;
};

}  // namespace pake::opaque

PAKE_EXPORT_END
