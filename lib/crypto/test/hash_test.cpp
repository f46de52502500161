#include "pake/crypto/hash.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <string>
#include <vector>

#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::hex;
using testing::unhex;

constexpr HashId kHashes[] = {HashId::sha256, HashId::sha384, HashId::sha512, HashId::sha1};

const char* name(HashId hash) {
  return std::array{"SHA256", "SHA384", "SHA512", "SHA1"}.at(static_cast<std::size_t>(hash));
}

// --- OpenSSL's own spelling of the same functions.

Buffer evp_digest(HashId hash, Bytes message) {
  Buffer out(output_size(hash));
  EXPECT_EQ(EVP_Q_digest(nullptr, name(hash), nullptr, message.data(), message.size(), out.data(), nullptr), 1);
  return out;
}

Buffer evp_hmac(HashId hash, Bytes key, Bytes message) {
  static const std::uint8_t none = 0;  // a null key means "keep the last one"
  Buffer out(output_size(hash));
  EXPECT_NE(EVP_Q_mac(nullptr, "HMAC", nullptr, name(hash), nullptr, key.empty() ? &none : key.data(), key.size(),
                      message.data(), message.size(), out.data(), out.size(), nullptr),
            nullptr);
  return out;
}

Buffer evp_hkdf(HashId hash, int mode, Buffer key, Buffer salt, Buffer info, std::size_t size) {
  auto* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  auto* context = EVP_KDF_CTX_new(kdf);
  std::string digest = name(hash);
  std::vector<OSSL_PARAM> params = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
  };
  if (!salt.empty()) params.push_back(OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()));
  if (!info.empty()) params.push_back(OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()));
  params.push_back(OSSL_PARAM_construct_end());
  Buffer out(size);
  EXPECT_EQ(EVP_KDF_derive(context, out.data(), out.size(), params.data()), 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

Buffer random_bytes(testing::SeededRng& rng, std::size_t size) {
  Buffer bytes(size);
  rng.fill(bytes);
  return bytes;
}

std::string expanded(HashId hash, Bytes prk, std::initializer_list<Bytes> info, std::size_t size) {
  Buffer out(size);
  hkdf_expand(hash, prk, info, out);
  return hex(out);
}

TEST(Hash, AgreesWithOpenSslAtEveryLengthAcrossTwoBlocks) {
  testing::SeededRng rng(1);
  for (const auto id : kHashes)
    for (std::size_t size = 0; size <= 2 * kMaxHashBlockSize + 1; ++size) {
      const auto message = random_bytes(rng, size);
      EXPECT_EQ(hex(hash(id, {message}).reveal()), hex(evp_digest(id, message))) << name(id) << " " << size;
    }
}

TEST(Hash, PartsAndACloneContinueTheSameMessage) {
  const Bytes ab = as_bytes("ab"), c = as_bytes("c"), d = as_bytes("d");
  for (const auto id : kHashes) {
    Hash running(id);
    running.update(ab).update({});
    auto clone = running;
    auto assigned = Hash(HashId::sha256);
    assigned = running;
    EXPECT_EQ(hex(running.update(c).finish().reveal()), hex(evp_digest(id, as_bytes("abc"))));
    EXPECT_EQ(hex(clone.update(d).finish().reveal()), hex(evp_digest(id, as_bytes("abd"))));
    EXPECT_EQ(hex(assigned.finish().reveal()), hex(evp_digest(id, as_bytes("ab"))));
    EXPECT_EQ(hex(hash(id, {ab, c}).reveal()), hex(evp_digest(id, as_bytes("abc"))));
  }
}

TEST(Hash, IsWipedAtItsEnd) {
  alignas(Hash) std::uint8_t place[sizeof(Hash)] = {};
  auto* running = new (place) Hash(HashId::sha512);
  running->update(as_bytes("secret"));
  running->~Hash();
  EXPECT_EQ(std::string(reinterpret_cast<char*>(place), sizeof place).find("secret"), std::string::npos);
}

TEST(Hmac, AgreesWithOpenSslForKeysOfEveryLength) {
  testing::SeededRng rng(2);
  for (const auto id : kHashes)
    for (std::size_t size = 0; size <= 2 * kMaxHashBlockSize; ++size) {
      const auto key = random_bytes(rng, size);
      const auto message = random_bytes(rng, size / 3);
      EXPECT_EQ(hex(hmac(id, key, {message}).reveal()), hex(evp_hmac(id, key, message))) << name(id) << " " << size;
    }
}

TEST(Hmac, ACloneKeepsTheKey) {
  const Hmac keyed(HashId::sha384, as_bytes("key"));
  for (int run = 0; run < 2; ++run) {
    auto mac = keyed;
    EXPECT_EQ(hex(mac.update(as_bytes("a")).update(as_bytes("b")).finish().reveal()),
              hex(evp_hmac(HashId::sha384, as_bytes("key"), as_bytes("ab"))));
  }
}

// RFC 4231, Section 4: test cases 1 (short key), 3 (20 bytes of aa), 6 (a key longer than a block).
TEST(Hmac, Rfc4231) {
  const Buffer key1(20, 0x0b), key3(20, 0xaa), key6(131, 0xaa), data3(50, 0xdd);
  const Bytes data1 = as_bytes("Hi There");
  const Bytes data6 = as_bytes("Test Using Larger Than Block-Size Key - Hash Key First");
  EXPECT_EQ(hex(hmac(HashId::sha256, key1, {data1}).reveal()),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac(HashId::sha384, key1, {data1}).reveal()),
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6");
  EXPECT_EQ(
      hex(hmac(HashId::sha512, key1, {data1}).reveal()),
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1"
      "702e696c203a126854");
  EXPECT_EQ(hex(hmac(HashId::sha256, key3, {data3}).reveal()),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hex(hmac(HashId::sha256, key6, {data6}).reveal()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// RFC 5869, Appendix A: test cases 1, 2 (long inputs and output), 3 (no salt, no info).
TEST(Hkdf, Rfc5869) {
  const Buffer ikm(22, 0x0b);
  const auto prk = hkdf_extract(HashId::sha256, unhex("000102030405060708090a0b0c"), {ikm});
  EXPECT_EQ(hex(prk.reveal()), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(expanded(HashId::sha256, prk.reveal(), {unhex("f0f1f2f3f4"), unhex("f5f6f7f8f9")}, 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");

  Buffer count(256);
  for (std::size_t i = 0; i < count.size(); ++i) count[i] = static_cast<std::uint8_t>(i);
  const auto bytes = Bytes(count);
  const auto prk2 = hkdf_extract(HashId::sha256, bytes.subspan(0x60, 80), {bytes.first(80)});
  EXPECT_EQ(
      expanded(HashId::sha256, prk2.reveal(), {bytes.subspan(0xb0, 80)}, 82),
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f0"
      "9b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");

  const auto prk3 = hkdf_extract(HashId::sha256, {}, {ikm});
  EXPECT_EQ(hex(prk3.reveal()), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  EXPECT_EQ(expanded(HashId::sha256, prk3.reveal(), {}, 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, AgreesWithOpenSsl) {
  testing::SeededRng rng(3);
  for (const auto id : kHashes)
    for (const std::size_t size :
         {std::size_t{1}, output_size(id), output_size(id) + 1, 3 * output_size(id) - 1, 255 * output_size(id)}) {
      const auto ikm = random_bytes(rng, 40), salt = random_bytes(rng, 64), info = random_bytes(rng, 30);
      const auto prk = hkdf_extract(id, salt, {Bytes(ikm).first(7), Bytes(ikm).subspan(7)});
      EXPECT_EQ(hex(prk.reveal()), hex(evp_hkdf(id, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, ikm, salt, {}, output_size(id))));
      EXPECT_EQ(expanded(id, prk.reveal(), {info}, size),
                hex(evp_hkdf(id, EVP_KDF_HKDF_MODE_EXPAND_ONLY, to_buffer(prk.reveal()), {}, info, size)));
    }
}

TEST(HkdfDeathTest, MoreThan255BlocksAbort) {
  EXPECT_DEATH(expanded(HashId::sha256, as_bytes("prk"), {}, 255 * 32 + 1), "");
}

}  // namespace
}  // namespace pake::crypto
