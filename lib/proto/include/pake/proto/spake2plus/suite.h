// SPAKE2+'s suites (RFC 9383, Section 4, Table 1), and the older key schedule that Matter kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2plus {

enum class Suite : std::uint8_t {  // on disk: never renumber
  p256_sha256_hmac = 1,            // the one that deployed protocols use
  p256_sha512_hmac = 2,
  p384_sha256_hmac = 3,
  p384_sha512_hmac = 4,
  p521_sha512_hmac = 5,
  edwards25519_sha256_hmac = 6,
  p256_sha256_cmac = 8,
  p256_sha512_cmac = 9,
  p256_sha256_draft02 = 10,  // the key schedule of draft-bar-cfrg-spake2plus-02: Matter's PASE
};

enum class Mac : std::uint8_t { hmac, cmac_aes_128 };
enum class KeySchedule : std::uint8_t { rfc9383, draft02 };

struct SuiteParameters {
  Suite suite;
  std::string_view name;  // "P256-SHA256-HKDF-SHA256-HMAC-SHA256"
  crypto::GroupId group;
  crypto::HashId hash;  // Hash, and that of KDF and HMAC
  Mac mac;
  KeySchedule schedule;
  std::size_t scalar_size;            // w0, w1: 32, 48, 66
  std::size_t share_size;             // shareP, shareV, L: 65, 97, 133; 32
  std::size_t shared_key_size;        // K_shared: the hash's; with draft-02 half of it
  std::size_t confirmation_key_size;  // K_confirmP, K_confirmV
  std::size_t tag_size;               // confirmP, confirmV: the hash's, or 16 with CMAC
  std::size_t half_size;              // w0s, w1s, unless a profile says otherwise: 40, 56, 74
};

/// Aborts for a value that is no enumerator; see `decode_suite`.
[[nodiscard]] const SuiteParameters& parameters(Suite suite) noexcept;
/// The suite that a byte names, else Errc::malformed.
[[nodiscard]] Result<Suite> decode_suite(std::uint8_t byte);

inline constexpr std::size_t kMaxTagSize = 64;
/// K_shared: derive from it, do not encrypt with it.
using SharedKey = SecretUpTo<crypto::kMaxHashSize, struct SharedKeyTag>;

}  // namespace pake::spake2plus

PAKE_EXPORT_END
