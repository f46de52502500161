// Key stretching functions: what makes each guess against a stolen record expensive.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"
#include "pake/crypto/hash.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

/// The closed list of profiles. A peer names one of them; it never sends numbers.
enum class KsfProfile : std::uint8_t {  // on the wire: never renumber
  rfc9807 = 1,                          // Argon2id, 2 GiB, t = 1, p = 4: RFC 9807, Section 7
  rfc9106_2 = 2,                        // Argon2id, 64 MiB, t = 3, p = 4: RFC 9106's second recommendation
  scrypt_rfc9807 = 3,                   // scrypt, N = 32768, r = 8, p = 1 (32 MiB): RFC 9807, Section 7
  small = 4,                            // Argon2id, 19 MiB, t = 2, p = 1
};

inline constexpr KsfProfile kDefaultKsfProfile = KsfProfile::rfc9106_2;

/// The profile that a byte names, else Errc::malformed.
[[nodiscard]] Result<KsfProfile> decode_ksf_profile(std::uint8_t byte);
/// The profile's name, as configuration and logs spell it: "rfc9807", "rfc9106-2", "scrypt-rfc9807", "small".
[[nodiscard]] std::string_view to_string(KsfProfile profile) noexcept;
/// The order of strength, which is that of cost too: small < scrypt_rfc9807 < rfc9106_2 < rfc9807. Floors and ceilings
/// compare with it.
[[nodiscard]] std::strong_ordering compare_strength(KsfProfile a, KsfProfile b) noexcept;

/// Argon2id (RFC 9106), version 0x13, without secret and associated data.
struct Argon2id {
  Buffer salt = Buffer(16);
  std::uint32_t memory_kib = 0;
  std::uint32_t passes = 0;
  std::uint32_t lanes = 0;
  std::size_t tag_length = 0;
};

/// scrypt (RFC 7914).
struct Scrypt {
  Buffer salt = Buffer(16);
  std::uint64_t N = 0;
  std::uint32_t r = 0;
  std::uint32_t p = 0;
  std::size_t output_length = 0;
};

/// Stretch(x) = x: a stolen record is then as weak as a fast hash of the password. For tests and published vectors.
struct IdentityWithoutAnyProtection {};

/// One function with every parameter written out; profiles map to it.
using KsfParameters = std::variant<Argon2id, Scrypt, IdentityWithoutAnyProtection>;

/// @param output_length  OPAQUE's Nh: 32, 48 or 64
[[nodiscard]] KsfParameters ksf_parameters(KsfProfile profile, std::size_t output_length);

/// Stretch(input). Argon2's lanes run in threads of their own, which have ended when this returns. Only the identity
/// takes constant time: Argon2id's later passes and scrypt read memory at places that depend on the input.
/// @return  16 to 64 bytes. Errc::misuse if the parameters are outside the function's bounds (or ask for another
///          length), Errc::unavailable if there is not enough memory or no thread can be started.
[[nodiscard]] Result<Digest> stretch(const KsfParameters& parameters, Bytes input);

/// The same with `size` bytes of output in place of what the parameters say: SPAKE2+ asks for more than a hash's (80 to
/// 160, say). Argon2id and scrypt give other bytes for another size, not more of the same.
/// @param size  16 to 1,024; else Errc::misuse, and so is the identity
[[nodiscard]] Result<SecretBuffer> stretch(const KsfParameters& parameters, Bytes input, std::size_t size);

/// PBKDF2 (RFC 8018, Section 5.2) with HMAC: a function of old, cheap to search on graphics cards. For protocols that
/// name it (Matter).
/// @param iterations  1 to 10,000,000; `size` 1 to 1,024: else Errc::misuse
[[nodiscard]] Result<SecretBuffer> pbkdf2(HashId hash, Bytes password, Bytes salt, std::uint32_t iterations,
                                          std::size_t size);

/// One stretching to do, as a value that a worker thread can be given.
class KsfJob {
 public:
  KsfJob(KsfParameters parameters, Digest input) : parameters_(std::move(parameters)), input_(std::move(input)) {}

  /// `stretch` of what it holds.
  [[nodiscard]] Result<Digest> run() const { return stretch(parameters_, input_.reveal()); }

 private:
  KsfParameters parameters_;
  Digest input_;
};

}  // namespace pake::crypto

PAKE_EXPORT_END
