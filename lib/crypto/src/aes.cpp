#include "pake/crypto/aes.h"

#include <openssl/core_names.h>

#include <array>
#include <climits>
#include <string>

#include "openssl.h"

namespace pake::crypto {
namespace {

enum class Direction : std::uint8_t { decrypt = 0, encrypt = 1 };

CipherCtxPtr start(const EVP_CIPHER* cipher, Aes128Key key, AesIv iv, Direction direction) {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  must(cipher != nullptr && context != nullptr);
  std::size_t iv_size = iv.size();  // GCM's default is 12
  const std::array params = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_IVLEN, &iv_size),
                             OSSL_PARAM_construct_end()};
  const bool is_gcm = EVP_CIPHER_get_mode(cipher) == EVP_CIPH_GCM_MODE;
  must(EVP_CipherInit_ex2(context.get(), cipher, key.data(), iv.data(), static_cast<int>(direction),
                          is_gcm ? params.data() : nullptr) == 1);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  return context;
}

/// EVP counts in int. Neither mode needs a final call: GCM's makes or checks the tag, CBC's the padding.
void update(EVP_CIPHER_CTX* context, MutableBytes text) {
  constexpr std::size_t kPiece = std::size_t{INT_MAX} / kAesBlockSize * kAesBlockSize;
  while (!text.empty()) {
    const auto piece = text.first(std::min(text.size(), kPiece));
    int written = 0;
    must(EVP_CipherUpdate(context, piece.data(), &written, piece.data(), static_cast<int>(piece.size())) == 1);
    text = text.subspan(piece.size());
  }
}

void cbc(Aes128Key key, AesIv iv, Direction direction, MutableBytes text) {
  static const CipherPtr cipher(EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr));
  must(text.size() % kAesBlockSize == 0);
  update(start(cipher.get(), key, iv, direction).get(), text);
}

}  // namespace

void aes128_gcm_xor_key_stream(Aes128Key key, AesIv nonce, MutableBytes text) {
  static const CipherPtr cipher(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr));
  update(start(cipher.get(), key, nonce, Direction::encrypt).get(), text);
}

void aes128_cbc_encrypt_unpadded(Aes128Key key, AesIv iv, MutableBytes text) { cbc(key, iv, Direction::encrypt, text); }

void aes128_cbc_decrypt_unpadded(Aes128Key key, AesIv iv, MutableBytes text) { cbc(key, iv, Direction::decrypt, text); }

Cmac aes128_cmac(Aes128Key key, std::initializer_list<Bytes> message_parts) {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "CMAC", nullptr);
  const MacCtxPtr context(EVP_MAC_CTX_new(algorithm));
  std::string cipher = "AES-128-CBC";
  const std::array params = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher.data(), 0),
                             OSSL_PARAM_construct_end()};
  must(context != nullptr && EVP_MAC_init(context.get(), key.data(), key.size(), params.data()) == 1);
  for (const auto part : message_parts) must(EVP_MAC_update(context.get(), part.data(), part.size()) == 1);
  return Cmac::make([&](MutableBytes out) {
    std::size_t written = 0;
    must(EVP_MAC_final(context.get(), out.data(), &written, out.size()) == 1 && written == out.size());
  });
}

}  // namespace pake::crypto
