// C of the paper's own form, against an L that knows what C draws.
#include <gtest/gtest.h>

#include <algorithm>

#include "pake/crypto/base64.h"
#include "pake/crypto/modular.h"
#include "pake/crypto/power_residues.h"
#include "pake/crypto/rng.h"
#include "src/eke/cipher.h"

namespace pake::eke {
namespace {

/// Gives what the system's gives, and remembers its first kPaperNumber bytes: R.
class RememberingRng final : public Rng {
 public:
  void fill(MutableBytes out) override {
    system_.fill(out);
    if (R.empty() && out.size() == kPaperNumber) R.assign(out.begin(), out.end());
  }
  Buffer R;

 private:
  crypto::SystemRng system_;
};

struct PaperRun {
  explicit PaperRun(CipherMode of_both = CipherMode::gcm)
      : mode(of_both),
        C({.user = "server",
           .password = SecretBuffer::copy_of(as_bytes("12345678")),
           .key = *crypto::RsaKeyPair::generate(crypto::kRsaMinBits),
           .mode = of_both,
           .form = Form::paper},
          rng) {
    EXPECT_EQ(as_text(*C.take_message()), "server");
  }

  /// Message 2.
  Buffer offer(Bytes n, Bytes e) const {
    auto message = crypto::base64_encode(n);
    const auto second = encrypt(mode, as_bytes("12345678"), e);
    message.insert(message.end(), second.begin(), second.end());
    return message;
  }
  bool take(Bytes message) {
    const auto taken = C.receive(message, Arrived::more_may_come);
    return taken.has_value() && *taken == message.size();
  }

  CipherMode mode;
  RememberingRng rng;
  RsaConnector C;
};

Buffer exponent(std::uint8_t last) {
  Buffer e(kPaperNumber);
  e.back() = last;
  return e;
}

TEST(PaperForm, AnswersWithThePowerAndProvesThatItHasR) {
  const auto cubes = crypto::CubeModulus::generate();
  const auto group = crypto::ModularGroup::make(cubes.modulus());
  for (const auto mode : {CipherMode::gcm, CipherMode::cbc})
    for (const auto e : std::initializer_list<std::uint8_t>{3, 4, 0}) {  // an even one is one less; 0 is 2^1024 - 1
      PaperRun run(mode);
      ASSERT_TRUE(run.take(run.offer(cubes.modulus(), exponent(e))));
      const auto answer = run.C.take_message();
      ASSERT_TRUE(answer.has_value());
      ASSERT_EQ(answer->size(), kPaperNumberText);
      auto used = exponent(3);
      if (e == 0) used.assign(kPaperNumber, 0xff);
      const auto c = group->power(*group->decode(run.rng.R), used);
      EXPECT_EQ(*answer, encrypt(mode, as_bytes("12345678"), c.reveal()));
      EXPECT_TRUE(e == 0 || cubes.is_cube_vartime(c.reveal()));

      ASSERT_TRUE(run.take(encrypt(mode, run.rng.R, as_bytes("1234567890"))));
      const auto both = decrypt(mode, run.rng.R, *run.C.take_message());
      ASSERT_TRUE(both.has_value());
      ASSERT_EQ(both->size(), 20U);
      EXPECT_EQ(as_text(both->reveal()).substr(0, 10), "1234567890");
      ASSERT_TRUE(run.take(encrypt(mode, run.rng.R, both->reveal().last(10))));
      EXPECT_EQ(run.C.want(), Want::done);
    }
}

TEST(PaperForm, AnotherChallengeEndsIt) {
  PaperRun run;
  ASSERT_TRUE(run.take(run.offer(crypto::CubeModulus::generate().modulus(), exponent(5))));
  static_cast<void>(run.C.take_message());
  ASSERT_TRUE(run.take(encrypt(run.mode, run.rng.R, as_bytes("1234567890"))));
  static_cast<void>(run.C.take_message());
  EXPECT_FALSE(run.take(encrypt(run.mode, run.rng.R, as_bytes("0123456789"))));
  EXPECT_EQ(run.C.failure(), Failure::wrong_NC);
}

TEST(PaperForm, AModulusThatBetraysAnswersIsRefused) {
  Buffer n(kPaperNumber, 0xff);
  n[7] = 0xfe;  // a random number is as likely as not above it
  for (int lie = 0; lie < 2; ++lie) {
    PaperRun run;
    EXPECT_FALSE(run.take(run.offer(n, exponent(3))));
    EXPECT_EQ(run.C.failure(), Failure::bad_modulus);
    n.assign(kPaperNumber, 0xff);
    n.back() = 0xfe;  // even
  }
  PaperRun run;
  auto message = run.offer(n, exponent(3));
  message[5] = '-';
  EXPECT_FALSE(run.take(message));
  EXPECT_EQ(run.C.failure(), Failure::bad_base64);
}

}  // namespace
}  // namespace pake::eke
