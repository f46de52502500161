// What pycryptodome computes is in tests/vectors/rsa_eke.json.
#include "pake/crypto/rsa.h"

#include <gtest/gtest.h>

#include "pake/testing/fixed_rng.h"

namespace pake::crypto {
namespace {

RsaKeyPair generate(std::size_t bits) { return std::move(RsaKeyPair::generate(bits).value()); }
RsaPublicKey public_half(const RsaKeyPair& pair) {
  return std::move(RsaPublicKey::from_pem(as_bytes(pair.public_pem())).value());
}

TEST(Rsa, AFreshKeyHasTheSizeAskedFor) {
  for (const std::size_t bits : {1024U, 1025U, 1032U, 2048U}) {
    const auto pair = generate(bits);
    EXPECT_EQ(pair.bits(), bits);
    EXPECT_EQ(pair.modulus_size(), (bits + 7) / 8);
    EXPECT_EQ(public_half(pair).bits(), bits);
    EXPECT_EQ(public_half(pair).modulus_size(), (bits + 7) / 8);
  }
  for (const std::size_t bits : {0U, 16U, 512U, 1023U, 4097U, 16384U})
    EXPECT_EQ(RsaKeyPair::generate(bits).error(), Errc::misuse) << bits;
}

TEST(Rsa, TwoKeysDiffer) { EXPECT_NE(generate(1024).public_pem(), generate(1024).public_pem()); }

TEST(Rsa, EveryMessageSizeComesBack) {
  testing::SeededRng rng(2);
  const auto pair = generate(1024);
  const auto PK = public_half(pair);
  for (std::size_t size = 0; size <= PK.modulus_size() - kRsaPkcs1Overhead; ++size) {
    Buffer message(size);
    rng.fill(message);
    const auto ciphertext = PK.encrypt(message, rng).value();
    ASSERT_EQ(ciphertext.size(), PK.modulus_size());
    const auto plain = pair.decrypt(ciphertext);
    ASSERT_TRUE(plain) << size;
    EXPECT_EQ(to_buffer(plain->reveal()), message);
  }
}

TEST(Rsa, AMessageThatDoesNotFitAborts) {
  const auto PK = public_half(generate(1024));
  testing::SeededRng rng(3);
  EXPECT_DEATH((void)PK.encrypt(Buffer(PK.modulus_size() - kRsaPkcs1Overhead + 1), rng), "");
}

TEST(Rsa, ASourceThatIsStuckIsAnError) {
  testing::StuckRng zeros(0), ones(0xff);
  const auto PK = public_half(generate(1024));
  EXPECT_EQ(PK.encrypt(as_bytes("0123456789"), zeros).error(), Errc::unavailable);
  EXPECT_TRUE(PK.encrypt(as_bytes("0123456789"), ones));
}

TEST(Rsa, ZerosAreDrawnAgain) {
  const auto pair = generate(1024);
  Buffer random(115, 7);  // 128 - 3 - 10: the padding of ten bytes
  random[0] = random[50] = 0;
  random.insert(random.end(), {0, 0, 9, 0, 8});
  testing::FixedRng rng(random);
  const auto plain = pair.decrypt(public_half(pair).encrypt(as_bytes("0123456789"), rng).value());
  EXPECT_EQ(rng.remaining(), 0U);
  ASSERT_TRUE(plain);
  EXPECT_EQ(as_text(plain->reveal()), "0123456789");
}

TEST(Rsa, WhatIsNoBlockIsRefused) {
  testing::SeededRng rng(4);
  const auto pair = generate(1024);
  auto ciphertext = public_half(pair).encrypt(as_bytes("0123456789"), rng).value();
  EXPECT_TRUE(pair.decrypt(ciphertext));
  EXPECT_FALSE(generate(1024).decrypt(ciphertext));
  EXPECT_FALSE(pair.decrypt(Bytes(ciphertext).first(127)));
  EXPECT_FALSE(pair.decrypt({}));
  EXPECT_FALSE(pair.decrypt(Buffer(128)));        // 0 decrypts to 0
  EXPECT_FALSE(pair.decrypt(Buffer(128, 0xff)));  // above the modulus
  ciphertext.push_back(0);
  EXPECT_FALSE(pair.decrypt(ciphertext));
}

TEST(Rsa, OnlyPkcs8OfAnAcceptableKeyIsRead) {
  EXPECT_EQ(RsaKeyPair::from_pkcs8({}).error(), Errc::malformed);
  EXPECT_EQ(RsaKeyPair::from_pkcs8(as_bytes("not a key")).error(), Errc::malformed);
}

}  // namespace
}  // namespace pake::crypto
