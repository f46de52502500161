// What SPAKE2+'s tests share.
#pragma once

#include <algorithm>
#include <array>
#include <ostream>
#include <string>

#include "pake/proto/spake2plus/registration.h"
#include "pake/proto/spake2plus/suite.h"

namespace pake::spake2plus {

inline constexpr std::array kSuites = {
    Suite::p256_sha256_hmac, Suite::p256_sha512_hmac, Suite::p384_sha256_hmac,
    Suite::p384_sha512_hmac, Suite::p521_sha512_hmac, Suite::edwards25519_sha256_hmac,
    Suite::p256_sha256_cmac, Suite::p256_sha512_cmac, Suite::p256_sha256_draft02};

// GoogleTest prints a suite by its number.
inline void PrintTo(Suite suite, std::ostream* out) { *out << static_cast<int>(suite); }

/// A secret that costs no KSF.
inline ProverSecret secret_of(Suite suite, std::string_view password) {
  Buffer output(2 * parameters(suite).half_size, std::uint8_t{1});
  std::ranges::copy(password, output.begin());
  std::ranges::copy(password, output.begin() + static_cast<std::ptrdiff_t>(parameters(suite).half_size));
  return ProverSecret::from_pbkdf_output(suite, output).value();
}

}  // namespace pake::spake2plus
