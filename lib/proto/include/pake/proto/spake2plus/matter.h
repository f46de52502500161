// What Matter's PASE (Matter Core Specification, "Passcode-Authenticated Session Establishment") puts around SPAKE2+.
// The run itself is that of the suite p256_sha256_draft02, without identities.
#pragma once

#include <cstdint>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"
#include "pake/proto/spake2plus/registration.h"
#include "pake/proto/spake2plus/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2plus::matter {

inline constexpr Suite kSuite = Suite::p256_sha256_draft02;
inline constexpr std::uint32_t kMinIterations = 1'000, kMaxIterations = 100'000;
inline constexpr std::size_t kMinSaltSize = 16, kMaxSaltSize = 32;
/// How often one commissioning window may be tried: make a GuessBudget of it.
inline constexpr std::size_t kGuessesOfAWindow = 20;

/// 1 to 99999998, and none of the trivial ones (11111111, ..., 12345678, 87654321).
[[nodiscard]] bool is_valid_passcode(std::uint32_t passcode) noexcept;

/// w0s || w1s = PBKDF2-HMAC-SHA256(passcode as four octets, little-endian, salt, iterations, 80 octets).
/// Errc::misuse for a passcode that is invalid, or a salt or a number of iterations out of bounds.
[[nodiscard]] Result<ProverSecret> prover_secret(std::uint32_t passcode, Bytes salt, std::uint32_t iterations);

/// Context = SHA-256("CHIP PAKE V1 Commissioning" || PBKDFParamRequest || PBKDFParamResponse), 32 bytes
[[nodiscard]] Buffer context(Bytes PBKDFParamRequest, Bytes PBKDFParamResponse);

struct SessionKeys {
  Secret<16> I2RKey, R2IKey, AttestationChallenge;
};
/// I2RKey || R2IKey || AttestationChallenge = HKDF-SHA256(Ke, no salt, "SessionKeys"); `Ke` is the run's K_shared.
[[nodiscard]] SessionKeys session_keys(const SharedKey& Ke);

}  // namespace pake::spake2plus::matter

PAKE_EXPORT_END
