// AES-128: without integrity, for the protocols of the nineties that want it so (whoever can change the bytes on the
// wire changes the text), and AES-CMAC, which SPAKE2+ may confirm with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "pake/base/bytes.h"
#include "pake/base/secret.h"

namespace pake::crypto {

inline constexpr std::size_t kAesBlockSize = 16;

using Aes128Key = std::span<const std::uint8_t, 16>;
using AesIv = std::span<const std::uint8_t, kAesBlockSize>;

/// XORs `text` in place with the key stream of AES-128-GCM (NIST SP 800-38D) for a nonce of 16 bytes: encryption and
/// decryption at once. The tag is neither made nor checked.
void aes128_gcm_xor_key_stream(Aes128Key key, AesIv nonce, MutableBytes text);

/// AES-128-CBC (NIST SP 800-38A, Section 6.2) in place, without padding. `text` is whole blocks; anything else aborts
/// (the caller checks).
void aes128_cbc_encrypt_unpadded(Aes128Key key, AesIv iv, MutableBytes text);
void aes128_cbc_decrypt_unpadded(Aes128Key key, AesIv iv, MutableBytes text);

/// AES-CMAC (RFC 4493) of part || part || ...
using Cmac = Secret<kAesBlockSize, struct CmacTag>;
[[nodiscard]] Cmac aes128_cmac(Aes128Key key, std::initializer_list<Bytes> message_parts);

}  // namespace pake::crypto
