// AES-128 under many keys, for the laboratory that shows how fast the short keys of the nineties are tried: what a
// first block decrypts to under each of eight keys, where the key is also the nonce or the IV, as in the seed's cipher.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pake/crypto/aes.h"

namespace pake::crypto {

inline constexpr std::size_t kKeysAtOnce = 8;
using AesBlock = std::array<std::uint8_t, kAesBlockSize>;
using EightKeys = std::array<AesBlock, kKeysAtOnce>;
using EightTexts = std::array<AesBlock, kKeysAtOnce>;

/// The first block of what aes128_gcm_xor_key_stream(key, key, ...) gives, under each key. Side by side on a processor
/// that has instructions for AES; not for secrets, whose copies it does not wipe.
void aes128_gcm_first_blocks(const EightKeys& keys, const AesBlock& block, EightTexts& texts);

/// The same of aes128_cbc_decrypt_unpadded(key, key, ...).
void aes128_cbc_first_blocks(const EightKeys& keys, const AesBlock& block, EightTexts& texts);

}  // namespace pake::crypto
