// What pycryptodome computes (tests/vectors/make_rsa_eke.py), every field of it.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "pake/base/writer.h"
#include "pake/testing/fields.h"
#include "pake/testing/hex.h"
#include "rig.h"
#include "src/eke/cipher.h"

namespace pake::eke {
namespace {

using testing::Fields;
using testing::FixedRng;
using testing::hex;

CipherMode mode_of(const std::string& name) {
  if (name == "gcm") return CipherMode::gcm;
  if (name == "cbc") return CipherMode::cbc;
  throw std::invalid_argument("mode " + name);
}

void check_cipher(Fields& vector) {
  const auto mode = mode_of(vector.text("mode"));
  const auto secret = vector.text("secret");
  const auto text = vector.unhex("text");
  const auto message = vector.text("message");
  EXPECT_EQ(as_text(encrypt(mode, as_bytes(secret), text)), message);
  EXPECT_EQ(message.size(), message_size(text.size()));
  EXPECT_EQ(hex(crypto::base64_decode(as_bytes(message)).value()), vector.text("ciphertext"));
  EXPECT_EQ(hex(decrypt(mode, as_bytes(secret), as_bytes(message)).value().reveal()), hex(text));
}

void check_key(Fields& vector) {
  const auto pem = vector.text("pem");
  const auto pair = crypto::RsaKeyPair::from_pkcs8(vector.unhex("pkcs8")).value();
  EXPECT_EQ(vector.text("id").substr(0, 4), std::to_string(pair.bits()));
  EXPECT_EQ(pair.bits(), vector.number("bits"));
  EXPECT_EQ(pair.public_pem(), pem);
  const auto PK = crypto::RsaPublicKey::from_pem(as_bytes(pem));
  ASSERT_TRUE(PK);
  EXPECT_EQ(PK->bits(), pair.bits());
}

/// As C would send it to an L with the same password.
std::optional<Failure> failure_with_key(const std::string& pem, CipherMode mode) {
  testing::SeededRng rng(1);
  const auto users = users_of({{"server", "12345678"}});
  RsaListener L({.users = users, .mode = mode}, GuessPermit::uncounted_for_study(), rng);
  Inbox inbox(L);
  inbox.arrive(as_bytes("server"));
  EXPECT_TRUE(L.take_message());
  inbox.arrive(encrypt(mode, as_bytes("12345678"), as_bytes(pem)));
  inbox.fall_silent();
  EXPECT_NE(L.want(), Want::done);
  EXPECT_NE(L.want(), Want::send);
  return L.failure();
}

void check_refused_key(Fields& vector) {
  static const std::map<std::string, std::pair<crypto::RsaKeyError, Failure>> errors = {
      {"not_pem", {crypto::RsaKeyError::not_pem, Failure::bad_pem}},
      {"too_small", {crypto::RsaKeyError::too_small, Failure::key_too_small}},
      {"too_large", {crypto::RsaKeyError::too_large, Failure::key_too_large}},
      {"even_modulus", {crypto::RsaKeyError::even_modulus, Failure::even_modulus}},
      {"bad_exponent", {crypto::RsaKeyError::bad_exponent, Failure::bad_exponent}}};
  SCOPED_TRACE(vector.text("id"));
  const auto pem = vector.text("pem");
  const auto& [error, failure] = errors.at(vector.text("error"));
  const auto PK = crypto::RsaPublicKey::from_pem(as_bytes(pem));
  ASSERT_FALSE(PK);
  EXPECT_EQ(PK.error(), error);
  if (pem.empty()) return;
  EXPECT_EQ(failure_with_key(pem, CipherMode::gcm), failure);
  EXPECT_EQ(failure_with_key(pem, CipherMode::cbc), failure);
}

void check_pkcs1(Fields& vector) {
  const auto pair = fixed_key(vector.text("key"));
  const auto PK = crypto::RsaPublicKey::from_pem(as_bytes(pair.public_pem())).value();
  const auto message = vector.unhex("message");
  FixedRng rng(vector.unhex("padding"));
  const auto ciphertext = PK.encrypt(message, rng);
  EXPECT_EQ(rng.remaining(), 0U);
  EXPECT_EQ(hex(ciphertext), vector.text("ciphertext"));
  EXPECT_EQ(hex(pair.decrypt(ciphertext).value().reveal()), hex(message));
}

/// Random bytes from which these digits are drawn.
Buffer drawn(std::string_view digits) {
  auto bytes = to_buffer(as_bytes(digits));
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(byte - '0');
  return bytes;
}

void check_run(Fields& vector) {
  const auto mode = mode_of(vector.text("mode"));
  const auto user = vector.text("user");
  const auto password = vector.text("password");
  const auto Ks = vector.text("Ks"), NC = vector.text("NC"), NS = vector.text("NS");
  const auto messages = vector.texts("messages");
  ASSERT_EQ(messages.size(), 7U);

  FixedRng L_rng(Writer().put(drawn(Ks)).put(vector.unhex("padding")).put(drawn(NS)).take());
  FixedRng C_rng(drawn(NC));
  const auto users = users_of({{user, password}});
  RsaListener L({.users = users, .mode = mode}, GuessPermit::uncounted_for_study(), L_rng);
  RsaConnector C({.user = user,
                  .password = SecretBuffer::copy_of(as_bytes(password)),
                  .key = fixed_key(vector.text("key")),
                  .mode = mode},
                 C_rng);
  Inbox to_L(L), to_C(C);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Machine& sender = i % 2 == 0 ? static_cast<Machine&>(C) : L;
    const auto message = sender.take_message();
    ASSERT_TRUE(message) << i + 1;
    EXPECT_EQ(as_text(*message), messages[i]) << i + 1;
    (i % 2 == 0 ? to_L : to_C).arrive(*message);
  }
  EXPECT_EQ(L_rng.remaining() + C_rng.remaining(), 0U);
  EXPECT_EQ(as_text(L.take_session_key().value().reveal()), Ks);
  EXPECT_EQ(as_text(C.take_session_key().value().reveal()), Ks);
}

TEST(RsaEkeVectors, EveryFieldOfEveryVector) {
  const auto json = testing::read_json(PAKE_VECTORS "/rsa_eke.json");
  Fields file(json, "rsa_eke.json");
  EXPECT_EQ(file.text("protocol"), "RSA-EKE of the seed's two programs");
  EXPECT_EQ(file.text("origin").rfind("tests/vectors/make_rsa_eke.py, pycryptodome ", 0), 0U);
  const std::pair<std::string, void (*)(Fields&)> sections[] = {{"cipher", check_cipher},
                                                                {"keys", check_key},
                                                                {"refused_keys", check_refused_key},
                                                                {"pkcs1", check_pkcs1},
                                                                {"runs", check_run}};
  for (const auto& [section, check] : sections) {
    std::size_t index = 0;
    for (const auto& object : file[section]) {
      Fields vector(object, section + "[" + std::to_string(index++) + "]");
      SCOPED_TRACE(section + "[" + std::to_string(index - 1) + "]");
      check(vector);
    }
    EXPECT_GT(index, 0U) << section;
  }
}

TEST(RsaEkeVectors, AFieldThatNobodyReadsFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        const auto json = nlohmann::json::parse(R"({"read": "1", "overlooked": "2"})");
        Fields fields(json, "example");
        EXPECT_EQ(fields.text("read"), "1");
      },
      "example: nobody read the field overlooked");
}

}  // namespace
}  // namespace pake::eke
