// SPAKE2's suites (RFC 9382, Section 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pake/base/export.h"
#include "pake/base/secret.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2 {

/// P-256 with SHA-512 and CMAC is not offered: the document does not say which half of a 32-byte key CMAC takes.
enum class Suite : std::uint8_t {
  p256_sha256_hmac,
  p256_sha512_hmac,
  p384_sha256_hmac,
  p384_sha512_hmac,
  p521_sha512_hmac,
  edwards25519_sha256_hmac,
  p256_sha256_cmac,
};

enum class Mac : std::uint8_t { hmac, cmac_aes_128 };

struct SuiteParameters {
  std::string_view name;  // "SPAKE2-P256-SHA256-HKDF-HMAC"
  crypto::GroupId group;
  crypto::HashId hash;
  Mac mac;
  std::size_t scalar_size;  // w: 32, 48, 66
  std::size_t share_size;   // pA, pB: 65, 97, 133; 32
  std::size_t key_size;     // Ke, Ka, KcA, KcB: half the hash
  std::size_t tag_size;     // cA, cB: the hash's, or 16 with CMAC
};

/// Aborts for a value that is no enumerator; see `is_offered`.
[[nodiscard]] const SuiteParameters& parameters(Suite suite) noexcept;
[[nodiscard]] bool is_offered(Suite suite) noexcept;

/// Ke: derive from it, do not encrypt with it.
using SharedKey = SecretUpTo<crypto::kMaxHashSize, struct SharedKeyTag>;

}  // namespace pake::spake2

PAKE_EXPORT_END
