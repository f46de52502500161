#include "pake/crypto/aead.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <vector>

#include "expanded_key.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::hex;
using testing::unhex;

constexpr Aead kAeads[] = {Aead::aes_256_gcm, Aead::chacha20_poly1305};

AeadKeyBytes key_bytes(Bytes bytes) { return bytes.first<kAeadKeySize>(); }
AeadNonce nonce_bytes(Bytes bytes) { return bytes.first<kAeadNonceSize>(); }

Buffer random_bytes(testing::SeededRng& rng, std::size_t size) {
  Buffer bytes(size);
  rng.fill(bytes);
  return bytes;
}

/// ciphertext || tag
template <class Key>
Buffer sealed(Key& key, Bytes nonce, Bytes associated_data, Bytes text) {
  auto out = to_buffer(text);
  out.resize(text.size() + kAeadTagSize);
  const MutableBytes bytes(out);
  key.seal(nonce_bytes(nonce), associated_data, bytes.first(text.size()), bytes.last<kAeadTagSize>());
  return out;
}

struct Opened {
  bool authentic;
  Buffer text;
};

template <class Key>
Opened opened(Key& key, Bytes nonce, Bytes associated_data, Bytes sealed) {
  auto text = to_buffer(sealed.first(sealed.size() - kAeadTagSize));
  const auto status = key.open(nonce_bytes(nonce), associated_data, text, sealed.last<kAeadTagSize>());
  EXPECT_TRUE(status || status.error() == Errc::auth_failed);
  return {.authentic = status.has_value(), .text = std::move(text)};
}

/// OpenSSL's own spelling, a context for every message.
Buffer evp_sealed(Aead aead, Bytes key, Bytes nonce, Bytes associated_data, Bytes text) {
  auto* context = EVP_CIPHER_CTX_new();
  const auto* cipher = aead == Aead::aes_256_gcm ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
  Buffer out(text.size() + kAeadTagSize);
  int size = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context, cipher, nullptr, key.data(), nonce.data()), 1);
  EXPECT_EQ(
      EVP_EncryptUpdate(context, nullptr, &size, associated_data.data(), static_cast<int>(associated_data.size())), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context, out.data(), &size, text.data(), static_cast<int>(text.size())), 1);
  EXPECT_EQ(EVP_EncryptFinal_ex(context, out.data() + size, &size), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, out.data() + text.size()), 1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

struct KnownAnswer {
  Aead aead;
  std::string key, nonce, associated_data, text, sealed;
};

const std::string kTestCase15Key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
const std::string kTestCase16Text =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const std::string kTestCase16Ciphertext =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662";

const KnownAnswer kKnownAnswers[] = {
    // The Galois/Counter Mode of Operation (the submission to NIST), Appendix B, test cases 13 to 16.
    {Aead::aes_256_gcm, std::string(64, '0'), std::string(24, '0'), "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {Aead::aes_256_gcm, std::string(64, '0'), std::string(24, '0'), "", std::string(32, '0'),
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {Aead::aes_256_gcm, kTestCase15Key, "cafebabefacedbaddecaf888", "", kTestCase16Text + "1aafd255",
     kTestCase16Ciphertext + "898015ad" + "b094dac5d93471bdec1a502270e3cc6c"},
    {Aead::aes_256_gcm, kTestCase15Key, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     kTestCase16Text, kTestCase16Ciphertext + "76fc6ece0f4e1768cddf8853bb2d551b"},
    // RFC 8439, Section 2.8.2.
    {Aead::chacha20_poly1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     hex(as_bytes("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
                  "sunscreen would be it.")),
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29"
     "05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b"
     "61161ae10b594f09e26a7e902ecbd0600691"},
};

TEST(Aead, GivesTheKnownAnswers) {
  for (const auto& answer : kKnownAnswers) {
    AeadKey key(answer.aead, key_bytes(unhex(answer.key)));
    const auto nonce = unhex(answer.nonce), associated_data = unhex(answer.associated_data), text = unhex(answer.text);
    EXPECT_EQ(hex(sealed(key, nonce, associated_data, text)), answer.sealed);
    const auto again = opened(key, nonce, associated_data, unhex(answer.sealed));
    EXPECT_TRUE(again.authentic);
    EXPECT_EQ(hex(again.text), answer.text);
  }
}

TEST(Aead, AgreesWithOpenSslAtEveryLength) {
  testing::SeededRng rng(1);
  const auto key_material = random_bytes(rng, kAeadKeySize);
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 1100; ++size) sizes.push_back(size);
  sizes.insert(sizes.end(), {4096, 16'383, 16'384, 32'768, 65'537, 1'048'577});
  for (const auto aead : kAeads) {
    AeadKey key(aead, key_bytes(key_material));
    for (const auto size : sizes) {
      const auto nonce = random_bytes(rng, kAeadNonceSize), associated_data = random_bytes(rng, size % 37),
                 text = random_bytes(rng, size);
      const auto box = sealed(key, nonce, associated_data, text);
      ASSERT_EQ(box, evp_sealed(aead, key_material, nonce, associated_data, text)) << size;
      const auto again = opened(key, nonce, associated_data, box);
      ASSERT_TRUE(again.authentic) << size;
      ASSERT_EQ(again.text, text) << size;
    }
  }
}

// The same differential for all that may be behind AES-256-GCM, whichever of them the processor makes us use.
void agree_at_every_length(IpsecMbCode code) {
  testing::SeededRng rng(2);
  const auto key_material = random_bytes(rng, kAeadKeySize);
  const auto slow = expand_by_openssl(Aead::aes_256_gcm, key_bytes(key_material));
  const auto fast = expand_by_ipsec_mb(code, key_bytes(key_material));
  if (fast == nullptr) GTEST_SKIP() << "no libipsec-mb in this build, or not the processor for this code of it";
  for (std::size_t size = 0; size <= 2100; ++size) {
    const auto nonce = random_bytes(rng, kAeadNonceSize), associated_data = random_bytes(rng, size % 37),
               text = random_bytes(rng, size);
    const auto box = sealed(*fast, nonce, associated_data, text);
    ASSERT_EQ(box, sealed(*slow, nonce, associated_data, text)) << size;
    for (auto* key : {fast.get(), slow.get()}) {
      const auto again = opened(*key, nonce, associated_data, box);
      ASSERT_TRUE(again.authentic) << size;
      ASSERT_EQ(again.text, text) << size;
    }
  }
}
TEST(Aead, BothLibrariesAgreeAtEveryLengthWithVaes) { agree_at_every_length(IpsecMbCode::vaes_avx512); }
TEST(Aead, BothLibrariesAgreeAtEveryLengthWithAvx2) { agree_at_every_length(IpsecMbCode::avx2); }

TEST(Aead, EveryBitMattersAndAForgeryLeavesZeros) {
  testing::SeededRng rng(3);
  const auto key_material = random_bytes(rng, kAeadKeySize);
  const auto refuses_every_flip = [&](auto& key) {
    const auto nonce = random_bytes(rng, kAeadNonceSize), associated_data = random_bytes(rng, 4),
               box = sealed(key, nonce, associated_data, random_bytes(rng, 67));
    const auto refused = [&](Bytes other_nonce, Bytes other_data, Bytes other_box) {
      const auto result = opened(key, other_nonce, other_data, other_box);
      return !result.authentic && std::ranges::all_of(result.text, [](auto byte) { return byte == 0; });
    };
    const auto flipped = [](Buffer bytes, std::size_t bit) {
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      return bytes;
    };
    for (std::size_t bit = 0; bit < 8 * nonce.size(); ++bit)
      EXPECT_TRUE(refused(flipped(nonce, bit), associated_data, box)) << bit;
    for (std::size_t bit = 0; bit < 8 * associated_data.size(); ++bit)
      EXPECT_TRUE(refused(nonce, flipped(associated_data, bit), box)) << bit;
    for (std::size_t bit = 0; bit < 8 * box.size(); ++bit)
      EXPECT_TRUE(refused(nonce, associated_data, flipped(box, bit))) << bit;
    EXPECT_TRUE(refused(nonce, Bytes(associated_data).first(3), box));
    EXPECT_TRUE(refused(nonce, {}, box));
    EXPECT_TRUE(opened(key, nonce, associated_data, box).authentic) << "a forgery spoils nothing";
  };
  for (const auto aead : kAeads) {
    AeadKey key(aead, key_bytes(key_material));
    refuses_every_flip(key);
    const auto by_openssl = expand_by_openssl(aead, key_bytes(key_material));
    refuses_every_flip(*by_openssl);
  }
  for (const auto code : {IpsecMbCode::avx2, IpsecMbCode::vaes_avx512})
    if (const auto by_ipsec_mb = expand_by_ipsec_mb(code, key_bytes(key_material))) refuses_every_flip(*by_ipsec_mb);
}

TEST(Aead, OneKeyServesBothDirectionsInAnyOrder) {
  testing::SeededRng rng(4);
  for (const auto aead : kAeads) {
    const auto key_material = random_bytes(rng, kAeadKeySize);
    AeadKey first(aead, key_bytes(key_material));
    auto key = std::move(first);
    const auto nonce = random_bytes(rng, kAeadNonceSize), text = random_bytes(rng, 100);
    const auto box = sealed(key, nonce, {}, text);
    EXPECT_EQ(opened(key, nonce, {}, box).text, text);
    EXPECT_EQ(sealed(key, nonce, {}, text), box);
    EXPECT_FALSE(opened(key, nonce, {}, Buffer(116)).authentic);
    EXPECT_EQ(sealed(key, nonce, {}, text), box);
  }
}

}  // namespace
}  // namespace pake::crypto
