// Private to the room: the seed's cipher E and its ten-digit values.
#pragma once

#include <cstddef>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/aes.h"
#include "pake/crypto/base64.h"
#include "pake/proto/eke/rsa_eke.h"

namespace pake::eke {

/// Ks, NC or NS: ten decimal digits.
inline constexpr std::size_t kDigits = 10;
using Digits = Secret<kDigits, struct DigitsTag>;

/// Ten digits, each equally likely.
[[nodiscard]] Result<Digits> random_digits(Rng& rng);
/// Errc::malformed unless `text` is ten digits.
[[nodiscard]] Result<Digits> read_digits(Bytes text);
[[nodiscard]] bool all_digits(Bytes text) noexcept;

/// The size of E(text) for a text of `size` bytes.
[[nodiscard]] constexpr std::size_t message_size(std::size_t size) noexcept {
  return crypto::base64_size((size + crypto::kAesBlockSize - 1) / crypto::kAesBlockSize * crypto::kAesBlockSize);
}

/// E_secret(text): the key is `secret` zero-padded or cut to 16 bytes, and the nonce or IV is the key; the text is
/// zero-padded to whole blocks; the result is in Base64.
[[nodiscard]] Buffer encrypt(CipherMode mode, Bytes secret, Bytes text);
/// The text of E_secret(text), without trailing zeros. Errc::malformed when `message` is not canonical Base64 of whole
/// blocks. Another secret gives another text, never an error.
[[nodiscard]] Result<SecretBuffer> decrypt(CipherMode mode, Bytes secret, Bytes message);

}  // namespace pake::eke
