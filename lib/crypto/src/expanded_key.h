// Private to the room: who computes behind an AeadKey.
#pragma once

#include <cstdint>
#include <memory>

#include "pake/crypto/aead.h"

namespace pake::crypto {

/// As AeadKey, whose documentation holds here.
class ExpandedKey {
 public:
  ExpandedKey() = default;
  ExpandedKey(const ExpandedKey&) = delete;
  ExpandedKey& operator=(const ExpandedKey&) = delete;
  virtual ~ExpandedKey() = default;

  virtual void seal(AeadNonce nonce, Bytes associated_data, MutableBytes text, MutableAeadTag tag) noexcept = 0;
  [[nodiscard]] virtual Status open(AeadNonce nonce, Bytes associated_data, MutableBytes text,
                                    AeadTag tag) noexcept = 0;
};

/// By OpenSSL, on every machine.
[[nodiscard]] std::unique_ptr<ExpandedKey> expand_by_openssl(Aead aead, AeadKeyBytes key);

/// What libipsec-mb has for different processors.
enum class IpsecMbCode : std::uint8_t { avx2, vaes_avx512 };

/// AES-256-GCM by Intel's libipsec-mb; null if the build is without it or the processor cannot run that code.
[[nodiscard]] std::unique_ptr<ExpandedKey> expand_by_ipsec_mb(IpsecMbCode code, AeadKeyBytes key);

}  // namespace pake::crypto
