#include "pake/crypto/seal.h"

#include <sodium.h>

#include "sodium_init.h"

namespace pake::crypto {

static_assert(kSealNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kSealOverhead == kSealNonceSize + crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(SealKey::kSize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

Buffer seal(const SealKey& key, Bytes associated_data, Bytes plaintext, Rng& rng) {
  ensure_sodium();
  Buffer sealed(kSealOverhead + plaintext.size());
  const auto nonce = MutableBytes(sealed).first(kSealNonceSize);
  rng.fill(nonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + kSealNonceSize, nullptr, plaintext.data(),
                                             plaintext.size(), associated_data.data(), associated_data.size(), nullptr,
                                             nonce.data(), key.reveal().data());
  declassify(sealed);
  return sealed;
}

Result<SecretBuffer> open_sealed(const SealKey& key, Bytes associated_data, Bytes sealed) {
  if (sealed.size() < kSealOverhead) return fail(Errc::auth_failed);
  ensure_sodium();
  const auto nonce = sealed.first(kSealNonceSize);
  const auto ciphertext = sealed.subspan(kSealNonceSize);
  int failed = 0;
  auto plaintext = SecretBuffer::make(sealed.size() - kSealOverhead, [&](MutableBytes out) {
    failed = crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, ciphertext.data(),
                                                        ciphertext.size(), associated_data.data(),
                                                        associated_data.size(), nonce.data(), key.reveal().data());
  });
  if (declassify_value(failed) != 0) return fail(Errc::auth_failed);
  return plaintext;
}

}  // namespace pake::crypto
