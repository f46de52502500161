// The vector files that are known, and what checks each: a line here and a source file in CMakeLists.txt. And what is
// left out: an entry that asks for anything else that is not offered fails, since its name is most likely misspelt.
#include <algorithm>

#include "vectors.h"

namespace pake::vectors {

void check_channel(Sections& file);
void check_cpace(Sections& file);
void check_eke(Sections& file);
void check_identity(Sections& file);
void check_opaque(Sections& file);
void check_oprf(Sections& file);
void check_rsa_eke(Sections& file);
void check_spake2(Sections& file);
void check_spake2plus(Sections& file);
void check_srp(Sections& file);

namespace {

struct KnownFile {
  std::string_view name;
  Handler handler;
};

constexpr KnownFile kKnownFiles[] = {
    {"channel.json", check_channel},   {"cpace.json", check_cpace},      {"eke.json", check_eke},
    {"identity.json", check_identity}, {"opaque.json", check_opaque},    {"oprf.json", check_oprf},
    {"rsa_eke.json", check_rsa_eke},   {"spake2.json", check_spake2},    {"spake2plus.json", check_spake2plus},
    {"srp.json", check_srp},           {"srp_deployed.json", check_srp},
};

struct LeftOut {
  std::string_view kind;
  std::string_view name;
};

constexpr LeftOut kLeftOut[] = {
    // Protocols to come.
    {"file", "pqpake.json"},
    // SPAKE2 and SPAKE2+ over edwards448.
    {"group", "edwards448"},
    {"suite", "edwards448-SHA512-HKDF-SHA512-HMAC-SHA512"},
    {"suite", "SPAKE2-edwards448-SHA512-HKDF-HMAC"},
    // RFC 9382 does not say which half of a 32-byte confirmation key CMAC takes.
    {"suite", "SPAKE2-P256-SHA512-HKDF-CMAC-AES-128"},
    // The 448-bit curves and SHAKE: CPace, RFC 9497 and with it OPAQUE.
    {"suite", "CPACE-X448-SHAKE256"},
    {"suite", "CPACE-DECAF448-SHAKE256"},
    {"suite", "decaf448-SHAKE256"},
    {"hash", "SHAKE128"},
    {"hash", "SHAKE256"},
    // RFC 9380, Appendix J: the curves that no PAKE here uses. Of curve25519 the map alone is used (elligator2).
    {"suite", "curve25519_XMD:SHA-512_ELL2_RO_"},
    {"suite", "curve25519_XMD:SHA-512_ELL2_NU_"},
    {"suite", "edwards25519_XMD:SHA-512_ELL2_RO_"},
    {"suite", "edwards25519_XMD:SHA-512_ELL2_NU_"},
    {"suite", "curve448_XOF:SHAKE256_ELL2_RO_"},
    {"suite", "curve448_XOF:SHAKE256_ELL2_NU_"},
    {"suite", "edwards448_XOF:SHAKE256_ELL2_RO_"},
    {"suite", "edwards448_XOF:SHAKE256_ELL2_NU_"},
    {"suite", "secp256k1_XMD:SHA-256_SSWU_RO_"},
    {"suite", "secp256k1_XMD:SHA-256_SSWU_NU_"},
    {"suite", "BLS12381G1_XMD:SHA-256_SSWU_RO_"},
    {"suite", "BLS12381G1_XMD:SHA-256_SSWU_NU_"},
    {"suite", "BLS12381G2_XMD:SHA-256_SSWU_RO_"},
    {"suite", "BLS12381G2_XMD:SHA-256_SSWU_NU_"},
};

}  // namespace

bool is_left_out(std::string_view kind, std::string_view name) noexcept {
  return std::ranges::any_of(kLeftOut, [&](const LeftOut& each) { return each.kind == kind && each.name == name; });
}

Handler handler_of(std::string_view file_name) noexcept {
  for (const auto& [name, handler] : kKnownFiles)
    if (name == file_name) return handler;
  return nullptr;
}

}  // namespace pake::vectors
