// One lie a run: bits of messages 3 to 7 (pake/testing/flips.h), and each failure by a peer that knows the password and
// lies.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "pake/testing/flips.h"
#include "rig.h"
#include "src/eke/cipher.h"

namespace pake::eke {
namespace {

constexpr std::string_view kPassword = "12345678";

/// Whether a bit of the text of message 6 that this bit of its Base64 carries may lie in the NS half.
bool may_reach_NS(CipherMode mode, std::size_t bit) {
  // GCM keeps bits in their places; ten bytes of NC are 80 bits, and character 13 carries the last of them and the
  // first of NS. In CBC block 0, changed, loses NC; block 1, changed, keeps it but turns the padding into garbage.
  return mode == CipherMode::gcm && bit / 8 >= 13;
}

void flip_bits_of_messages_3_to_7(CipherMode mode) {
  const Duel plain({.C_mode = mode, .L_mode = mode});
  ASSERT_EQ(plain.L.want(), Want::done);
  for (int number = 3; number <= 7; ++number) {
    for (const auto bit : testing::bits_to_flip(plain.messages[static_cast<std::size_t>(number) - 1].size())) {
      const Duel duel({.C_mode = mode, .L_mode = mode, .wire = [&](int i, Buffer message) {
                         if (i == number) message[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
                         return std::vector<Buffer>{std::move(message), {}};
                       }});
      SCOPED_TRACE("message " + std::to_string(number) + " bit " + std::to_string(bit));
      EXPECT_NE(duel.L.want(), Want::done);
      EXPECT_EQ(duel.budget.available(), 0U);
      const bool C_may_be_done = number == 7 || (number == 6 && may_reach_NS(mode, bit));
      if (!C_may_be_done) {
        EXPECT_NE(duel.C.want(), Want::done);
      }
    }
  }
}

TEST(RsaEkeNegative, EveryBitMattersInGcm) { flip_bits_of_messages_3_to_7(CipherMode::gcm); }
TEST(RsaEkeNegative, EveryBitMattersInCbc) { flip_bits_of_messages_3_to_7(CipherMode::cbc); }

// What "cannot know" means: a digit of NS that became another digit.
TEST(RsaEkeNegative, CIsDoneWithAnNSThatWasChangedAndLIsNot) {
  const Duel duel({.wire = [](int i, const Buffer& message) {
    if (i != 6) return std::vector<Buffer>{message, {}};
    auto bytes = crypto::base64_decode(message).value();
    bytes[15] ^= 1;
    return std::vector<Buffer>{crypto::base64_encode(bytes)};
  }});
  EXPECT_EQ(duel.C.want(), Want::done);
  EXPECT_EQ(duel.L.failure(), Failure::wrong_NS);
}

/// An L whose peer is the test.
struct Listening {
  explicit Listening(CipherMode mode_of_L = CipherMode::gcm) : mode(mode_of_L) {}

  CipherMode mode;
  testing::SeededRng rng{1};
  UserTable users = users_of({{"server", kPassword}});
  Recorder told;
  RsaListener L{{.users = users, .mode = mode, .observer = &told}, GuessPermit::uncounted_for_study(), rng};
  Inbox inbox{L};

  void send_user() {
    inbox.arrive(as_bytes("server"));
    EXPECT_EQ(L.take_message(), to_buffer(as_bytes("yes")));
  }
  /// Up to where message 5 is awaited; the value is Ks.
  std::string send_key() {
    send_user();
    const auto pair = fixed_key("1024");
    inbox.arrive(encrypt(CipherMode::gcm, as_bytes(kPassword), as_bytes(pair.public_pem())));
    EXPECT_TRUE(L.take_message());
    return told.told.back().second;
  }
  void expect(Failure failure) {
    EXPECT_EQ(L.failure(), failure);
    EXPECT_EQ(L.error(), error_class(failure));
  }
};

TEST(RsaEkeNegative, LRefusesWhatIsNoBase64) {
  Listening run;
  run.send_user();
  run.inbox.arrive(as_bytes("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"));
  run.expect(Failure::bad_base64);

  Listening unused_bits;
  unused_bits.send_user();
  unused_bits.inbox.arrive(as_bytes("AAAAAAAAAAAAAAAAAAAAAB=="));
  unused_bits.expect(Failure::bad_base64);
}

TEST(RsaEkeNegative, LSaysWhatIsWrongWithAKey) {
  const std::map<std::string, Failure> failures = {{"not_pem", Failure::bad_pem},
                                                   {"too_small", Failure::key_too_small},
                                                   {"too_large", Failure::key_too_large},
                                                   {"even_modulus", Failure::even_modulus},
                                                   {"bad_exponent", Failure::bad_exponent}};
  for (const auto& key : vectors("refused_keys")) {
    const auto pem = key.at("pem").get<std::string>();
    if (pem.empty()) continue;  // encrypts to nothing
    SCOPED_TRACE(key.at("id").get<std::string>());
    for (const auto mode : {CipherMode::gcm, CipherMode::cbc}) {
      Listening run(mode);
      run.send_user();
      run.inbox.arrive(encrypt(mode, as_bytes(kPassword), as_bytes(pem)));
      run.inbox.fall_silent();
      run.expect(failures.at(key.at("error").get<std::string>()));
    }
  }
}

TEST(RsaEkeNegative, LRefusesAChallengeThatIsNotTenDigits) {
  for (const std::string_view NC : {"", "123456789", "12345678901", "123456789x", "1234567890 ", "-123456789"}) {
    Listening run;
    const auto Ks = run.send_key();
    run.inbox.arrive(encrypt(CipherMode::gcm, as_bytes(Ks), NC.empty() ? Bytes(Buffer(16)) : as_bytes(NC)));
    run.expect(Failure::bad_NC);
  }
  Listening run;
  (void)run.send_key();
  run.inbox.arrive(as_bytes("not base64, 24 characters"));
  run.expect(Failure::bad_base64);
}

TEST(RsaEkeNegative, LRefusesAWrongAnswer) {
  for (const std::string_view NS : {"0000000000", "000000000", "00000000000", "x"}) {
    Listening run;
    const auto Ks = run.send_key();
    run.inbox.arrive(encrypt(CipherMode::gcm, as_bytes(Ks), as_bytes("1234567890")));
    EXPECT_TRUE(run.L.take_message());
    run.inbox.arrive(encrypt(CipherMode::gcm, as_bytes(Ks), as_bytes(NS)));
    run.expect(Failure::wrong_NS);
    EXPECT_EQ(run.L.take_session_key().error(), Errc::misuse);
  }
}

/// A C whose peer is the test.
struct Connecting {
  testing::SeededRng rng{1};
  Recorder told;
  RsaConnector C{{.user = "server",
                  .password = SecretBuffer::copy_of(as_bytes(kPassword)),
                  .key = fixed_key("1024"),
                  .observer = &told},
                 rng};
  crypto::RsaPublicKey PK = crypto::RsaPublicKey::from_pem(as_bytes(fixed_key("1024").public_pem())).value();
  Inbox inbox{C};

  void send_yes() {
    EXPECT_TRUE(C.take_message());
    inbox.arrive(as_bytes("yes"));
    EXPECT_TRUE(C.take_message());
  }
  void send_inner(Bytes inner) { inbox.arrive(encrypt(CipherMode::gcm, as_bytes(kPassword), inner)); }
  void send_Ks(std::string_view Ks) { send_inner(crypto::base64_encode(PK.encrypt(as_bytes(Ks), rng).value())); }
  /// Message 6 with what `text` makes of NC.
  void send_N1_2(auto text) {
    send_yes();
    send_Ks("0123456789");
    EXPECT_TRUE(C.take_message());
    inbox.arrive(encrypt(CipherMode::gcm, as_bytes("0123456789"), as_bytes(text(told.told.back().second))));
  }
  void expect(Failure failure) {
    EXPECT_EQ(C.failure(), failure);
    EXPECT_EQ(C.error(), error_class(failure));
    EXPECT_EQ(C.take_session_key().error(), Errc::misuse);
  }
};

TEST(RsaEkeNegative, CWantsYesOrNo) {
  for (const auto& [text, failure] : {std::pair{"no", Failure::refused_user},
                                      {"nop", Failure::refused_user},
                                      {"Yes", Failure::unclear_answer},
                                      {"ye!", Failure::unclear_answer},
                                      {"\r\n", Failure::unclear_answer}}) {
    Connecting run;
    EXPECT_TRUE(run.C.take_message());
    run.inbox.arrive(as_bytes(text));
    run.expect(failure);
  }
  Connecting waits;
  EXPECT_TRUE(waits.C.take_message());
  waits.inbox.arrive(as_bytes("y"));
  waits.inbox.arrive(as_bytes("e"));
  EXPECT_EQ(waits.C.want(), Want::receive);
}

TEST(RsaEkeNegative, CRefusesEachWayToSpoilMessage4) {
  const std::string inner_size(172, 'A');  // Base64 of 129 zeros
  {
    Connecting run;
    run.send_yes();
    run.inbox.arrive(Buffer(236, '!'));
    run.expect(Failure::bad_base64);
  }
  {
    Connecting run;
    run.send_yes();
    run.inbox.arrive(encrypt(CipherMode::gcm, as_bytes("another"), as_bytes(inner_size)));
    run.expect(Failure::bad_inner_base64);
  }
  {
    Connecting run;
    run.send_yes();
    run.send_inner(as_bytes(inner_size));
    run.expect(Failure::bad_pkcs1);
  }
  {
    Connecting run;
    run.send_yes();
    run.send_inner(crypto::base64_encode(Buffer(128, 1)));  // decrypts to no block
    run.expect(Failure::bad_pkcs1);
  }
  for (const std::string_view Ks : {"", "123456789", "12345678901", "123456789a", " 123456789"}) {
    Connecting run;
    run.send_yes();
    run.send_Ks(Ks);
    run.expect(Failure::bad_Ks);
  }
}

TEST(RsaEkeNegative, CRefusesEachWayToSpoilMessage6) {
  for (const std::string_view tail : {"123456789", "123456789x", "12345678901"}) {
    Connecting run;
    run.send_N1_2([&](const std::string& NC) { return NC + std::string(tail); });
    run.expect(Failure::bad_N1_2);
  }
  Connecting other_NC;
  other_NC.send_N1_2([](std::string NC) {
    NC[9] = NC[9] == '0' ? '1' : '0';
    return NC + "0123456789";
  });
  other_NC.expect(Failure::wrong_NC);
  EXPECT_EQ(other_NC.told.told.back().first, Value::N1_2);  // the seed prints it all the same

  Connecting right;
  right.send_N1_2([](const std::string& NC) { return NC + "0123456789"; });
  EXPECT_EQ(right.C.take_message(), encrypt(CipherMode::gcm, as_bytes("0123456789"), as_bytes("0123456789")));
  EXPECT_EQ(right.C.want(), Want::done);
}

}  // namespace
}  // namespace pake::eke
