// What tells the right password of a recorded run of 1992 from a wrong one, and the right Ks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/crypto/aes_search.h"
#include "pake/proto/eke/rsa_eke.h"

namespace pake::cli::lab {

using pake::eke::CipherMode;

/// The text that message 3 holds begins so.
inline constexpr std::string_view kPemBegins = "-----BEGIN PUBLIC KEY-----\n";

/// E's key: `secret` zero-padded, or cut, to 16 bytes.
[[nodiscard]] crypto::AesBlock cipher_key(Bytes secret) noexcept;

/// The text of whole cipher blocks under `secret`, with its padding. Another secret gives another text, never an error.
[[nodiscard]] Buffer decrypt(CipherMode mode, Bytes secret, Bytes blocks);

/// The first block alone, under eight keys.
void decrypt_first_blocks(CipherMode mode, const crypto::EightKeys& keys, const crypto::AesBlock& block,
                          crypto::EightTexts& texts);

/// With how many bytes of `kPemBegins` `text` begins.
[[nodiscard]] std::size_t agrees_with_pem(Bytes text) noexcept;

/// Without the zero bytes at its end.
[[nodiscard]] Bytes without_padding(Bytes text) noexcept;

/// Ks, NC and NS are ten decimal digits.
inline constexpr std::size_t kDigits = 10;
inline constexpr std::uint64_t kAllKeys = 10'000'000'000;
using TenDigits = std::array<std::uint8_t, kDigits>;

[[nodiscard]] TenDigits ten_digits(std::uint64_t number) noexcept;
/// The next one; after the last comes the first.
void increment(TenDigits& digits) noexcept;

/// Whether a block is ten digits and six zero bytes, as message 5 is under the right Ks. A wrong one gives such a
/// block once in 2^95.
[[nodiscard]] bool is_padded_digits(const crypto::AesBlock& block) noexcept;

/// Of the keys `first` to `first + count - 1` (count is a multiple of eight) the one under which `E_NC` is ten digits.
[[nodiscard]] std::optional<TenDigits> find_Ks(CipherMode mode, const crypto::AesBlock& E_NC, std::uint64_t first,
                                               std::size_t count);

}  // namespace pake::cli::lab
