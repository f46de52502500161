#include "key_schedule.h"

#include <gtest/gtest.h>

#include "pake/testing/hex.h"
#include "transcript.h"

namespace pake::channel {
namespace {

using testing::hex;

// Computed with Python's hmac: H2 = 64 bytes 22, PAKE key = 32 bytes 33.
TEST(KeySchedule, IsThePages) {
  const auto H2 = crypto::Digest::copy_of(Buffer(64, 0x22));
  const auto keys = derive_channel_keys(AeadId::aes_256_gcm, H2, SessionKey::copy_of(Buffer(32, 0x33)));
  EXPECT_EQ(keys.aead, AeadId::aes_256_gcm);
  EXPECT_EQ(hex(keys.client.reveal()),
            "821f31da7de798f75787256476bc955fe816da22dd1f7300d7ec4e56abe78d58d7183b372c46c3d325645816");
  EXPECT_EQ(hex(keys.server.reveal()),
            "5a02b727d8849c894bd37d7a0d602158594c46a05bab9077707f381af7ee1f0e0f3b947e68855d578b5c436c");
  EXPECT_EQ(
      hex(keys.exporter_secret.reveal()),
      "955193f4e2fbdb35d93af0a42632ca11990e47274fe70a922ed1e47567453f32cd2cf8722c678d81939328aa8275c204ff1c52a5b1ce"
      "748f29873e55303a7089");
  EXPECT_EQ(
      hex(keys.resumption_secret.reveal()),
      "5a1c1a9eb7fecafec09f316b8d22f725b124ec6b6832cc658a07cba9c6735c7679fea265c3e0d99aee4a904538dbdf2d31f4d9977d8b"
      "dacc6905f2b689fb63e6");
}

TEST(Transcript, GoesOnAfterItsHashWasAsked) {
  Transcript transcript;
  transcript.add(as_bytes("ab"));
  EXPECT_EQ(hex(transcript.hash().reveal()), hex(crypto::hash(crypto::HashId::sha512, {as_bytes("ab")}).reveal()));
  auto fork = transcript;
  transcript.add(as_bytes("c"));
  EXPECT_EQ(hex(transcript.hash().reveal()), hex(crypto::hash(crypto::HashId::sha512, {as_bytes("abc")}).reveal()));
  EXPECT_EQ(hex(fork.hash().reveal()), hex(crypto::hash(crypto::HashId::sha512, {as_bytes("ab")}).reveal()));
}

}  // namespace
}  // namespace pake::channel
