// Wycheproof's test vectors (C2SP/wycheproof) for the primitives that the PAKEs are made of: every case of every file.
//
// What is `acceptable`, and what we do: X25519's values of small order, whose shared secret is zero, are refused (RFC
// 7748, Section 6.1, leaves it open; CPace and the channel's resumption need it); its other values (on the twist, not
// reduced, edge cases of the arithmetic) are computed. A compressed point of a NIST curve is taken, by the decoder that
// takes no other. A case for which a wrapper has no argument (another size of key, nonce or tag) is counted as not
// offered, and named.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "pake/crypto/aead.h"
#include "pake/crypto/aes.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/rsa.h"
#include "pake/crypto/seal.h"
#include "pake/crypto/x25519.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using Json = nlohmann::json;

struct Case {
  const Json& group;
  const Json& test;

  [[nodiscard]] Buffer bytes(const char* name) const {
    return testing::unhex(test.at(name).get_ref<const std::string&>());
  }
  [[nodiscard]] bool is(const char* result) const { return test.at("result") == result; }
  [[nodiscard]] bool has_flag(const char* flag) const {
    for (const auto& each : test.at("flags"))
      if (each == flag) return true;
    return false;
  }
};

/// What became of a case that is neither a plain pass nor a failure: "not offered: ...", "acceptable: ...".
using Remark = std::string;
constexpr const char* kPassed = "";

/// Runs every case of a file. `check` expects what it must, and says what it did where that was its choice.
void run(const char* file_name, const std::function<Remark(const Case&)>& check) {
  const auto* const given = std::getenv("PAKE_WYCHEPROOF");
  const std::filesystem::path folder = given != nullptr ? given : PAKE_WYCHEPROOF_DEFAULT;
  if (given == nullptr && !std::filesystem::exists(folder)) {
    constexpr auto kReason = "Wycheproof's files are not here: PAKE_WYCHEPROOF names their folder";
    std::cout << "SKIPPED: " << kReason << "\n";
    GTEST_SKIP() << kReason;
  }
  std::ifstream file(folder / file_name);
  ASSERT_TRUE(file) << folder / file_name;
  const auto document = Json::parse(file);
  std::size_t count = 0;
  std::map<Remark, std::size_t> remarks;
  for (const auto& group : document.at("testGroups"))
    for (const auto& test : group.at("tests")) {
      SCOPED_TRACE(std::string(file_name) + " " + std::to_string(test.at("tcId").get<int>()) + ": " +
                   test.at("comment").get<std::string>() + ", " + test.at("result").get<std::string>());
      const auto remark = check({.group = group, .test = test});
      if (!remark.empty()) ++remarks[remark];
      ++count;
    }
  EXPECT_EQ(count, document.at("numberOfTests").get<std::size_t>());
  std::cout << file_name << ": " << count << " cases";
  for (const auto& [remark, times] : remarks) std::cout << "; " << times << " " << remark;
  std::cout << "\n";
}

template <std::size_t N>
std::span<const std::uint8_t, N> sized(Bytes bytes) {
  return std::span<const std::uint8_t, N>(bytes.data(), N);
}

std::string not_offered(const char* what, std::size_t bytes) {
  return std::string("not offered (") + what + " of " + std::to_string(bytes) + " bytes)";
}

TEST(Wycheproof, X25519) {
  run("x25519_test.json", [](const Case& each) -> Remark {
    const auto u = each.bytes("public"), shared = each.bytes("shared");
    const auto product = x25519(x25519_clamp(sized<32>(each.bytes("private"))), sized<32>(u));
    if (each.has_flag("ZeroSharedSecret")) {
      EXPECT_EQ(product.error(), Errc::malformed);
      return "acceptable, refused (the shared secret is zero)";
    }
    EXPECT_TRUE(product);
    if (product) {
      EXPECT_EQ(testing::hex(product->reveal()), testing::hex(shared));
    }
    return each.is("acceptable") ? "acceptable, computed" : kPassed;
  });
}

Remark check_ecdh(GroupId id, const Case& each) {
  const auto& group = Group::get(id);
  const auto point = each.bytes("public");
  auto uncompressed = nist_decode_uncompressed(id, point);
  auto compressed = group.decode(point);
  if (each.is("invalid")) {
    EXPECT_FALSE(uncompressed || compressed);
    return kPassed;
  }
  EXPECT_TRUE(uncompressed.has_value() != compressed.has_value());
  if (!uncompressed && !compressed) return kPassed;
  const auto scalar = group.reduce_scalar(each.bytes("private"), std::endian::big);
  const auto product = group.multiply(scalar, uncompressed ? *uncompressed : *compressed);
  EXPECT_TRUE(product);
  if (product) {
    EXPECT_EQ(testing::hex(nist_x_coordinate(id, *product).reveal()), testing::hex(each.bytes("shared")));
  }
  if (!each.is("acceptable")) return kPassed;
  EXPECT_TRUE(each.has_flag("CompressedPoint"));
  return "acceptable, computed (a compressed point)";
}

TEST(Wycheproof, EcdhP256) {
  run("ecdh_secp256r1_ecpoint_test.json", [](const Case& each) { return check_ecdh(GroupId::p256, each); });
}
TEST(Wycheproof, EcdhP384) {
  run("ecdh_secp384r1_ecpoint_test.json", [](const Case& each) { return check_ecdh(GroupId::p384, each); });
}
TEST(Wycheproof, EcdhP521) {
  run("ecdh_secp521r1_ecpoint_test.json", [](const Case& each) { return check_ecdh(GroupId::p521, each); });
}

Remark check_hkdf(HashId hash, const Case& each) {
  const auto size = each.test.at("size").get<std::size_t>();
  if (each.is("invalid")) {
    EXPECT_GT(size, 255 * output_size(hash)) << "only a length that is too long is invalid";
    return "not offered (a length that aborts)";
  }
  const auto prk = hkdf_extract(hash, each.bytes("salt"), {each.bytes("ikm")});
  Buffer okm(size);
  hkdf_expand(hash, prk.reveal(), {each.bytes("info")}, okm);
  EXPECT_EQ(testing::hex(okm), testing::hex(each.bytes("okm")));
  return kPassed;
}

TEST(Wycheproof, Hkdf) {
  run("hkdf_sha256_test.json", [](const Case& each) { return check_hkdf(HashId::sha256, each); });
  run("hkdf_sha384_test.json", [](const Case& each) { return check_hkdf(HashId::sha384, each); });
  run("hkdf_sha512_test.json", [](const Case& each) { return check_hkdf(HashId::sha512, each); });
}

/// A tag that is cut is compared with as much of ours.
Remark check_tag(const Case& each, Bytes ours) {
  const auto theirs = each.bytes("tag");
  EXPECT_EQ(theirs.size(), each.group.at("tagSize").get<std::size_t>() / 8);
  EXPECT_EQ(ct_equal(ours.first(theirs.size()), theirs), each.is("valid"));
  return kPassed;
}

Remark check_hmac(HashId hash, const Case& each) {
  return check_tag(each, hmac(hash, each.bytes("key"), {each.bytes("msg")}).reveal());
}

TEST(Wycheproof, Hmac) {
  run("hmac_sha1_test.json", [](const Case& each) { return check_hmac(HashId::sha1, each); });
  run("hmac_sha256_test.json", [](const Case& each) { return check_hmac(HashId::sha256, each); });
  run("hmac_sha384_test.json", [](const Case& each) { return check_hmac(HashId::sha384, each); });
  run("hmac_sha512_test.json", [](const Case& each) { return check_hmac(HashId::sha512, each); });
}

TEST(Wycheproof, AesCmac) {
  run("aes_cmac_test.json", [](const Case& each) -> Remark {
    const auto key = each.bytes("key");
    if (key.size() != 16) return not_offered("a key", key.size());
    return check_tag(each, aes128_cmac(sized<16>(key), {each.bytes("msg")}).reveal());
  });
}

Remark check_aead(Aead aead, const Case& each) {
  const auto key = each.bytes("key"), iv = each.bytes("iv"), aad = each.bytes("aad"), tag = each.bytes("tag");
  if (key.size() != kAeadKeySize) return not_offered("a key", key.size());
  if (iv.size() != kAeadNonceSize) return not_offered("a nonce", iv.size());
  const auto text = each.bytes("msg"), ciphertext = each.bytes("ct");
  AeadKey keyed(aead, sized<kAeadKeySize>(key));
  auto opened = ciphertext;
  EXPECT_EQ(keyed.open(sized<12>(iv), aad, opened, sized<16>(tag)).has_value(), each.is("valid"));
  if (!each.is("valid")) {
    EXPECT_EQ(opened, Buffer(ciphertext.size())) << "zeros are left";
    return kPassed;
  }
  EXPECT_EQ(opened, text);
  auto sealed = text;
  std::array<std::uint8_t, kAeadTagSize> our_tag{};
  keyed.seal(sized<12>(iv), aad, sealed, our_tag);
  EXPECT_EQ(sealed, ciphertext);
  EXPECT_EQ(testing::hex(our_tag), testing::hex(tag));
  return kPassed;
}

TEST(Wycheproof, AesGcm) {
  run("aes_gcm_test.json", [](const Case& each) { return check_aead(Aead::aes_256_gcm, each); });
}
TEST(Wycheproof, ChaCha20Poly1305) {
  run("chacha20_poly1305_test.json", [](const Case& each) { return check_aead(Aead::chacha20_poly1305, each); });
}

TEST(Wycheproof, XChaCha20Poly1305) {
  run("xchacha20_poly1305_test.json", [](const Case& each) -> Remark {
    const auto iv = each.bytes("iv"), aad = each.bytes("aad"), text = each.bytes("msg");
    if (iv.size() != kSealNonceSize) return not_offered("a nonce", iv.size());
    auto sealed = iv;
    for (const auto* part : {"ct", "tag"})
      for (const auto byte : each.bytes(part)) sealed.push_back(byte);
    const auto key = SealKey::copy_of(sized<32>(each.bytes("key")));
    const auto opened = open_sealed(key, aad, sealed);
    EXPECT_EQ(opened.has_value(), each.is("valid"));
    if (!opened) return kPassed;
    EXPECT_EQ(testing::hex(opened->reveal()), testing::hex(text));
    testing::FixedRng nonce(iv);
    EXPECT_EQ(seal(key, aad, text, nonce), sealed);
    return kPassed;
  });
}

TEST(Wycheproof, RsaPkcs1) {
  run("rsa_pkcs1_2048_test.json", [](const Case& each) -> Remark {
    const auto pair =
        RsaKeyPair::from_pkcs8(testing::unhex(each.group.at("privateKeyPkcs8").get_ref<const std::string&>()));
    EXPECT_TRUE(pair);
    if (!pair) return kPassed;
    const auto message = pair->decrypt(each.bytes("ct"));
    EXPECT_EQ(message.has_value(), each.is("valid"));
    if (message) {
      EXPECT_EQ(testing::hex(message->reveal()), testing::hex(each.bytes("msg")));
    }
    return kPassed;
  });
}

}  // namespace
}  // namespace pake::crypto
