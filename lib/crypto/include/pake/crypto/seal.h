// Sealing for oneself: what is kept at rest, or handed to a peer who will hand it back.
#pragma once

#include <cstddef>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

inline constexpr std::size_t kSealNonceSize = 24;
inline constexpr std::size_t kSealOverhead = kSealNonceSize + 16;  // nonce and tag

using SealKey = Secret<32, struct SealKeyTag>;

/// nonce || XChaCha20-Poly1305(key, nonce, associated_data, plaintext): kSealOverhead bytes more than `plaintext`. The
/// nonce is 24 random bytes, so one key seals any number of things without a counter.
[[nodiscard]] Buffer seal(const SealKey& key, Bytes associated_data, Bytes plaintext, Rng& rng);

/// The plaintext of `seal`. Errc::auth_failed when `sealed` is not, to the byte, what this key sealed with this
/// associated data, too short included.
[[nodiscard]] Result<SecretBuffer> open_sealed(const SealKey& key, Bytes associated_data, Bytes sealed);

}  // namespace pake::crypto

PAKE_EXPORT_END
