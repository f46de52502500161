// Authenticated encryption, in place: AES-256-GCM and ChaCha20-Poly1305.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

enum class Aead : std::uint8_t {
  aes_256_gcm,        // NIST SP 800-38D
  chacha20_poly1305,  // RFC 8439, Section 2.8
};

inline constexpr std::size_t kAeadKeySize = 32;
inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;

using AeadKeyBytes = std::span<const std::uint8_t, kAeadKeySize>;
using AeadNonce = std::span<const std::uint8_t, kAeadNonceSize>;
using AeadTag = std::span<const std::uint8_t, kAeadTagSize>;
using MutableAeadTag = std::span<std::uint8_t, kAeadTagSize>;

/// Whether the processor has instructions for AES and carry-less multiplication. Without them AES-256-GCM is slow and
/// hard to make constant-time: offer it only if this is true.
[[nodiscard]] bool aes_gcm_in_hardware() noexcept;

class ExpandedKey;

/// A key made ready for use, about 1 kB on the heap; wiped when it goes. One object serves both directions, one thread
/// at a time. Making one allocates, using it does not.
class AeadKey {
 public:
  AeadKey(Aead aead, AeadKeyBytes key);
  AeadKey(AeadKey&&) noexcept;
  AeadKey& operator=(AeadKey&&) noexcept;
  ~AeadKey();

  /// Encrypts `text` (at most 2^31 - 1 bytes) in place and writes its tag, which covers `associated_data` too. Under
  /// one key no nonce may be used twice: the text and the authenticity of all messages would be lost.
  void seal(AeadNonce nonce, Bytes associated_data, MutableBytes text, MutableAeadTag tag) noexcept;

  /// Decrypts `text` (at most 2^31 - 1 bytes) in place, or says Errc::auth_failed and leaves zeros in its place.
  [[nodiscard]] Status open(AeadNonce nonce, Bytes associated_data, MutableBytes text, AeadTag tag) noexcept;

 private:
  std::unique_ptr<ExpandedKey> expanded_;
};

}  // namespace pake::crypto

PAKE_EXPORT_END
