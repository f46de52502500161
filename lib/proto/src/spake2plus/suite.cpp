#include "pake/proto/spake2plus/suite.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace pake::spake2plus {
namespace {

using crypto::GroupId;
using crypto::HashId;

// half_size: (bits of p + 64) / 8, rounded up (RFC 9383, Section 3.2).
constexpr std::array<SuiteParameters, 9> kSuites = {{
    {Suite::p256_sha256_hmac, "P256-SHA256-HKDF-SHA256-HMAC-SHA256", GroupId::p256, HashId::sha256, Mac::hmac,
     KeySchedule::rfc9383, 32, 65, 32, 32, 32, 40},
    {Suite::p256_sha512_hmac, "P256-SHA512-HKDF-SHA512-HMAC-SHA512", GroupId::p256, HashId::sha512, Mac::hmac,
     KeySchedule::rfc9383, 32, 65, 64, 64, 64, 40},
    {Suite::p384_sha256_hmac, "P384-SHA256-HKDF-SHA256-HMAC-SHA256", GroupId::p384, HashId::sha256, Mac::hmac,
     KeySchedule::rfc9383, 48, 97, 32, 32, 32, 56},
    {Suite::p384_sha512_hmac, "P384-SHA512-HKDF-SHA512-HMAC-SHA512", GroupId::p384, HashId::sha512, Mac::hmac,
     KeySchedule::rfc9383, 48, 97, 64, 64, 64, 56},
    {Suite::p521_sha512_hmac, "P521-SHA512-HKDF-SHA512-HMAC-SHA512", GroupId::p521, HashId::sha512, Mac::hmac,
     KeySchedule::rfc9383, 66, 133, 64, 64, 64, 74},
    {Suite::edwards25519_sha256_hmac, "edwards25519-SHA256-HKDF-SHA256-HMAC-SHA256", GroupId::edwards25519,
     HashId::sha256, Mac::hmac, KeySchedule::rfc9383, 32, 32, 32, 32, 32, 40},
    {Suite::p256_sha256_cmac, "P256-SHA256-HKDF-SHA256-CMAC-AES-128", GroupId::p256, HashId::sha256, Mac::cmac_aes_128,
     KeySchedule::rfc9383, 32, 65, 32, 16, 16, 40},
    {Suite::p256_sha512_cmac, "P256-SHA512-HKDF-SHA512-CMAC-AES-128", GroupId::p256, HashId::sha512, Mac::cmac_aes_128,
     KeySchedule::rfc9383, 32, 65, 64, 16, 16, 40},
    {Suite::p256_sha256_draft02, "P256-SHA256-HKDF-SHA256-HMAC-SHA256 (draft-02 key schedule)", GroupId::p256,
     HashId::sha256, Mac::hmac, KeySchedule::draft02, 32, 65, 16, 16, 32, 40},
}};

const SuiteParameters* find(Suite suite) noexcept {
  const auto* const found = std::ranges::find(kSuites, suite, &SuiteParameters::suite);
  return found == kSuites.end() ? nullptr : found;
}

}  // namespace

const SuiteParameters& parameters(Suite suite) noexcept {
  const auto* const found = find(suite);
  if (found == nullptr) std::abort();
  return *found;
}

Result<Suite> decode_suite(std::uint8_t byte) {
  const auto suite = static_cast<Suite>(byte);
  if (find(suite) == nullptr) return fail(Errc::malformed);
  return suite;
}

}  // namespace pake::spake2plus
