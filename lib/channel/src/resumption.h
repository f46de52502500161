// Private to the room: the proofs and keys of a resumption. docs/wire.md, section 7.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/channel/keys.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/x25519.h"
#include "pake/proto/machine.h"
#include "transcript.h"

namespace pake::channel {

inline constexpr std::size_t kProofSize = 64;

/// HMAC under the ticket's secret over the ClientHello up to its binder. Only its bearer can make it.
[[nodiscard]] crypto::Digest compute_binder(const ResumptionSecret& ticket_secret, const Transcript& up_to_binder);

/// HMAC under the ticket's secret over the whole ClientHello of a login that shows the ticket, this binder as zeros.
[[nodiscard]] crypto::Digest compute_device_binder(const ResumptionSecret& ticket_secret,
                                                   const Transcript& hello_without_binder);

/// A fresh Diffie-Hellman key.
struct Share {
  crypto::X25519Scalar private_key;
  std::array<std::uint8_t, crypto::kX25519Size> public_key;
};
[[nodiscard]] Share generate_share(Rng& rng);

/// What both sides have once they know each other's share.
class ResumedKey {
 public:
  /// Errc::malformed when the Diffie-Hellman result is all zero.
  [[nodiscard]] static Result<ResumedKey> agree(const ResumptionSecret& ticket_secret, const Share& own,
                                                std::span<const std::uint8_t, crypto::kX25519Size> peer);

  [[nodiscard]] crypto::Digest server_proof(const Transcript& up_to_proof) const;
  [[nodiscard]] crypto::Digest client_proof(const Transcript& both_hellos) const;
  [[nodiscard]] SessionKey pake_key() const;

 private:
  explicit ResumedKey(crypto::Digest ke) noexcept : ke_(std::move(ke)) {}
  crypto::Digest ke_;
};

}  // namespace pake::channel
