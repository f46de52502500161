#include "pake/proto/cpace/suite.h"

#include <array>
#include <utility>

namespace pake::cpace {
namespace {

using crypto::HashId;

constexpr std::array<SuiteParameters, 5> kSuites = {{
    {"CPACE-RISTR255-SHA512", "CPaceRistretto255", HashId::sha512, 32, 32},
    {"CPACE-X25519-SHA512", "CPace255", HashId::sha512, 32, 32},
    {"CPACE-P256_XMD:SHA-256_SSWU_NU_-SHA256", "CPaceP256_XMD:SHA-256_SSWU_NU_", HashId::sha256, 65, 32},
    {"CPACE-P384_XMD:SHA-384_SSWU_NU_-SHA384", "CPaceP384_XMD:SHA-384_SSWU_NU_", HashId::sha384, 97, 48},
    {"CPACE-P521_XMD:SHA-512_SSWU_NU_-SHA512", "CPaceP521_XMD:SHA-512_SSWU_NU_", HashId::sha512, 133, 66},
}};

}  // namespace

const SuiteParameters& parameters(Suite suite) noexcept { return kSuites.at(std::to_underlying(suite)); }

}  // namespace pake::cpace
