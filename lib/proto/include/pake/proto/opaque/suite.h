// OPAQUE-3DH's suites and their sizes (RFC 9807, Section 7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

/// OPRF, hash (also HKDF's and HMAC's) and the group of the AKE. The KSF and the Context are chosen apart from it.
enum class SuiteId : std::uint8_t {  // on the wire: never renumber
  ristretto255 = 1,                  // ristretto255-SHA512 for both
  p256 = 2,                          // P256-SHA256 for both
  p384 = 3,                          // P384-SHA384 for both: to this library only, see below
  p521 = 4,                          // P521-SHA512 for both: to this library only, see below
  ristretto255_curve25519 = 5,       // OPRF ristretto255-SHA512, AKE X25519
};
// Choice: for P-384 and P-521 the RFC has no vectors, and other libraries expand seeds to lengths of their own; we keep
// to the text (Nseed = 32, Nok bytes for the OPRF key's seed).

/// The suite that a byte names, else Errc::malformed.
[[nodiscard]] Result<SuiteId> decode_suite_id(std::uint8_t byte);

inline constexpr std::size_t kNn = 32;     // a nonce
inline constexpr std::size_t kNseed = 32;  // a seed of a key pair

/// Bytes of things, by the RFC's names, and of the messages that follow.
struct Sizes {
  std::size_t Nh;   // hash output; also Nm (MAC) and Nx (HKDF-Extract)
  std::size_t Noe;  // OPRF element
  std::size_t Nok;  // OPRF scalar
  std::size_t Npk;  // AKE public key
  std::size_t Nsk;  // AKE private key

  [[nodiscard]] constexpr std::size_t envelope() const noexcept { return kNn + Nh; }
  [[nodiscard]] constexpr std::size_t registration_request() const noexcept { return Noe; }
  [[nodiscard]] constexpr std::size_t registration_response() const noexcept { return Noe + Npk; }
  [[nodiscard]] constexpr std::size_t registration_record() const noexcept { return Npk + Nh + envelope(); }
  [[nodiscard]] constexpr std::size_t masked_response() const noexcept { return Npk + envelope(); }
  [[nodiscard]] constexpr std::size_t credential_response() const noexcept { return Noe + kNn + masked_response(); }
  [[nodiscard]] constexpr std::size_t KE1() const noexcept { return Noe + kNn + Npk; }
  [[nodiscard]] constexpr std::size_t KE2() const noexcept { return credential_response() + kNn + Npk + Nh; }
  [[nodiscard]] constexpr std::size_t KE3() const noexcept { return Nh; }
};

[[nodiscard]] constexpr Sizes sizes(SuiteId suite) noexcept {
  switch (suite) {
    case SuiteId::ristretto255:
    case SuiteId::ristretto255_curve25519:
      return {.Nh = 64, .Noe = 32, .Nok = 32, .Npk = 32, .Nsk = 32};
    case SuiteId::p256:
      return {.Nh = 32, .Noe = 33, .Nok = 32, .Npk = 33, .Nsk = 32};
    case SuiteId::p384:
      return {.Nh = 48, .Noe = 49, .Nok = 48, .Npk = 49, .Nsk = 48};
    case SuiteId::p521:
      return {.Nh = 64, .Noe = 67, .Nok = 66, .Npk = 67, .Nsk = 66};
  }
  std::abort();
}

inline constexpr std::size_t kMaxMaskedResponseSize = sizes(SuiteId::p521).masked_response();
static_assert(sizes(SuiteId::ristretto255).KE2() == 320 && sizes(SuiteId::p521).KE2() == 425);

}  // namespace pake::opaque

PAKE_EXPORT_END
