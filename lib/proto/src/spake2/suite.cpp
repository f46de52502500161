#include "pake/proto/spake2/suite.h"

#include <array>
#include <utility>

namespace pake::spake2 {
namespace {

using crypto::GroupId;
using crypto::HashId;

constexpr std::array<SuiteParameters, 7> kSuites = {{
    {"SPAKE2-P256-SHA256-HKDF-HMAC", GroupId::p256, HashId::sha256, Mac::hmac, 32, 65, 16, 32},
    {"SPAKE2-P256-SHA512-HKDF-HMAC", GroupId::p256, HashId::sha512, Mac::hmac, 32, 65, 32, 64},
    {"SPAKE2-P384-SHA256-HKDF-HMAC", GroupId::p384, HashId::sha256, Mac::hmac, 48, 97, 16, 32},
    {"SPAKE2-P384-SHA512-HKDF-HMAC", GroupId::p384, HashId::sha512, Mac::hmac, 48, 97, 32, 64},
    {"SPAKE2-P521-SHA512-HKDF-HMAC", GroupId::p521, HashId::sha512, Mac::hmac, 66, 133, 32, 64},
    {"SPAKE2-edwards25519-SHA256-HKDF-HMAC", GroupId::edwards25519, HashId::sha256, Mac::hmac, 32, 32, 16, 32},
    {"SPAKE2-P256-SHA256-HKDF-CMAC-AES-128", GroupId::p256, HashId::sha256, Mac::cmac_aes_128, 32, 65, 16, 16},
}};

}  // namespace

const SuiteParameters& parameters(Suite suite) noexcept { return kSuites.at(std::to_underlying(suite)); }
bool is_offered(Suite suite) noexcept { return std::to_underlying(suite) < kSuites.size(); }

}  // namespace pake::spake2
