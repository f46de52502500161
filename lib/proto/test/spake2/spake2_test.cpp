#include "pake/proto/spake2/spake2.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <ostream>

#include "../drive.h"
#include "pake/crypto/rng.h"
#include "pake/proto/spake2/machine.h"
#include "pake/testing/fixed_rng.h"

namespace pake::spake2 {

// GoogleTest prints a suite by its number.
static void PrintTo(Suite suite, std::ostream* out) { *out << static_cast<int>(suite); }

namespace {

constexpr std::array kSuites = {Suite::p256_sha256_hmac, Suite::p256_sha512_hmac, Suite::p384_sha256_hmac,
                                Suite::p384_sha512_hmac, Suite::p521_sha512_hmac, Suite::edwards25519_sha256_hmac,
                                Suite::p256_sha256_cmac};

PasswordScalar scalar_of(Suite suite, std::string_view password) {
  Buffer output(parameters(suite).scalar_size + 8, std::uint8_t{1});
  std::ranges::copy(password, output.begin());
  return PasswordScalar::from_mhf_output(suite, output).value();
}

struct Outcome {
  std::optional<SharedKey> a, b;
  Errc error = Errc::misuse;
  std::size_t guesses_left = 0;
};

/// A run in which one thing may be a lie.
struct Login {
  Suite suite = Suite::p256_sha256_hmac;
  std::string password = "correct";
  std::string A = "alice", B = "bob", AAD = "aad";  // A's
  std::function<void(Buffer&)> on_pA = [](Buffer&) {};
  std::function<void(Buffer& pB, Buffer& cB)> on_answer = [](Buffer&, Buffer&) {};
  std::function<void(Buffer&)> on_cA = [](Buffer&) {};

  [[nodiscard]] Outcome run() const {
    crypto::SystemRng rng;
    GuessBudget budget(1);
    Outcome outcome;
    auto a =
        initiate({.A = as_bytes(A), .B = as_bytes(B), .AAD = as_bytes(AAD)}, scalar_of(suite, password), rng).value();
    on_pA(a.pA);
    auto b = respond({.A = as_bytes("alice"), .B = as_bytes("bob"), .AAD = as_bytes("aad")},
                     scalar_of(suite, "correct"), std::move(*budget.take()), a.pA, rng);
    outcome.guesses_left = budget.available();
    if (!b) {
      outcome.error = b.error();
      return outcome;
    }
    {
      auto next = std::move(b->next);
      on_answer(b->pB, b->cB);
      auto at_a = std::move(a.next).finish(b->pB, b->cB);
      if (at_a) {
        outcome.a = std::move(at_a->Ke);
        on_cA(at_a->cA);
        auto at_b = std::move(next).finish(at_a->cA);
        if (at_b)
          outcome.b = std::move(*at_b);
        else
          outcome.error = at_b.error();
      } else {
        outcome.error = at_a.error();
      }
    }
    outcome.guesses_left = budget.available();
    return outcome;
  }
};

class Spake2 : public ::testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(EverySuite, Spake2, ::testing::ValuesIn(kSuites), ::testing::PrintToStringParamName());

TEST_P(Spake2, GivesBothSidesOneKeyAndTheGuessBack) {
  const auto outcome = Login{.suite = GetParam()}.run();
  ASSERT_TRUE(outcome.a && outcome.b);
  EXPECT_TRUE(ct_equal(outcome.a->reveal(), outcome.b->reveal()));
  EXPECT_EQ(outcome.a->size(), parameters(GetParam()).key_size);
  EXPECT_EQ(outcome.guesses_left, 1U);
}

// Inputs are filled in one statement, from what ends with it, and used in the next.
TEST_P(Spake2, InputsOutliveWhatTheyWereMadeOf) {
  testing::SeededRng rng(1);
  const auto text = [](std::string_view what) {
    return to_buffer(as_bytes(std::string(what) + std::string(100, '.')));
  };
  const auto inputs = [&] { return Inputs{.A = text("alice"), .B = text("bob"), .AAD = text("aad")}; };
  const auto one = inputs(), other = inputs();
  const auto w = scalar_of(GetParam(), "correct");
  auto a = initiate(one, w, rng).value();
  auto b = respond(other, w, GuessPermit::uncounted_for_study(), a.pA, rng).value();
  const auto finished = std::move(a.next).finish(b.pB, b.cB);
  ASSERT_TRUE(finished);
  EXPECT_TRUE(std::move(b.next).finish(finished->cA));
}

TEST_P(Spake2, GivesAWrongPasswordNothingAndKeepsTheGuess) {
  const auto outcome = Login{.suite = GetParam(), .password = "wrong"}.run();
  EXPECT_FALSE(outcome.a || outcome.b);
  EXPECT_EQ(outcome.error, Errc::auth_failed);
  EXPECT_EQ(outcome.guesses_left, 0U);
}

TEST_P(Spake2, RefusesSharesThatAreNone) {
  const auto size = parameters(GetParam()).share_size;
  const auto refuse = [&](const char* what, const std::function<void(Buffer&)>& change) {
    const auto at_b = Login{.suite = GetParam(), .on_pA = change}.run();
    EXPECT_EQ(at_b.error, Errc::malformed) << what;
    EXPECT_EQ(at_b.guesses_left, 1U) << what << ": nothing left B";
    const auto at_a = Login{.suite = GetParam(), .on_answer = [&](Buffer& pB, Buffer&) { change(pB); }}.run();
    EXPECT_EQ(at_a.error, Errc::malformed) << what;
  };
  refuse("empty", [](Buffer& share) { share.clear(); });
  refuse("truncated", [](Buffer& share) { share.pop_back(); });
  refuse("extended", [](Buffer& share) { share.push_back(0); });
  refuse("zero", [&](Buffer& share) { share.assign(size, 0); });
  refuse("ones", [&](Buffer& share) { share.assign(size, 0xff); });
}

TEST_P(Spake2, MachinesAgreeHoweverTheBytesArrive) {
  crypto::SystemRng rng;
  GuessBudget budget(1);
  const auto config = [&](std::string_view password) {
    return Config{.A = {1}, .B = {2}, .AAD = {}, .w = scalar_of(GetParam(), password)};
  };
  for (const auto step : {1U, 50U, 1000U}) {
    const auto a = initiator_machine(config("p"), rng);
    const auto b = responder_machine(config("p"), std::move(*budget.take()), rng);
    testing::drive(*a, *b, step);
    testing::expect_agreement(*a, *b, parameters(GetParam()).key_size);
    EXPECT_EQ(budget.available(), 1U);
  }
  {
    const auto a = initiator_machine(config("q"), rng);
    const auto b = responder_machine(config("p"), std::move(*budget.take()), rng);
    testing::drive(*a, *b);
    EXPECT_EQ(a->error(), Errc::auth_failed);
    EXPECT_EQ(b->want(), Want::receive);
  }
  EXPECT_EQ(budget.available(), 0U);
}

TEST(Spake2Run, EveryByteOfEveryMessageMatters) {
  const auto& of = parameters(Suite::p256_sha256_hmac);
  for (std::size_t i = 0; i < of.share_size; i += 5) {
    EXPECT_FALSE(Login{.on_pA = [&](Buffer& share) { share[i] ^= 1U; }}.run().b) << "pA " << i;
    EXPECT_FALSE(Login{.on_answer = [&](Buffer& share, Buffer&) { share[i] ^= 1U; }}.run().a) << "pB " << i;
  }
  for (std::size_t i = 0; i < of.tag_size; i += 3) {
    EXPECT_FALSE(Login{.on_answer = [&](Buffer&, Buffer& tag) { tag[i] ^= 0x80U; }}.run().a) << "cB " << i;
    const auto outcome = Login{.on_cA = [&](Buffer& tag) { tag[i] ^= 0x80U; }}.run();
    EXPECT_FALSE(outcome.b) << "cA " << i;
    EXPECT_EQ(outcome.guesses_left, 0U);
  }
  EXPECT_EQ(Login{.on_cA = [](Buffer& tag) { tag.pop_back(); }}.run().error, Errc::malformed);
  EXPECT_EQ(Login{.on_answer = [](Buffer&, Buffer& tag) { tag.push_back(0); }}.run().error, Errc::malformed);
}

TEST(Spake2Run, IdentitiesAndAadAreBound) {
  EXPECT_TRUE(Login{}.run().b);
  EXPECT_FALSE(Login{.A = "alicE"}.run().a);
  EXPECT_FALSE(Login{.B = ""}.run().a);
  EXPECT_FALSE(Login{.AAD = ""}.run().a);
  EXPECT_FALSE((Login{.A = "aliceb", .B = "ob"}.run().a)) << "the lengths keep the fields apart";
}

TEST(Spake2Run, ATagThatComesBackIsNotThePeers) {
  crypto::SystemRng rng;
  const auto w = scalar_of(Suite::p256_sha256_hmac, "p");
  auto a = initiate({}, w, rng).value();
  auto b = respond({}, w, GuessPermit::uncounted_for_study(), a.pA, rng).value();
  EXPECT_EQ(std::move(b.next).finish(b.cB).error(), Errc::auth_failed);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(std::move(b.next).finish(b.cB).error(), Errc::misuse);
}

TEST(Spake2Run, InTheDocumentsOrderASpendsAGuessToo) {
  crypto::SystemRng rng;
  GuessBudget of_a(1), of_b(1);
  const auto w = scalar_of(Suite::p256_sha256_hmac, "p");
  auto a = initiate({}, w, rng).value();
  auto b = respond({}, w, std::move(*of_b.take()), a.pA, rng).value();
  auto confirmed = std::move(a.next).confirm(b.pB, std::move(*of_a.take())).value();
  EXPECT_EQ(of_a.available(), 0U);
  const auto at_b = std::move(b.next).finish(confirmed.cA);
  const auto at_a = std::move(confirmed.next).finish(b.cB);
  ASSERT_TRUE(at_a && at_b);
  EXPECT_TRUE(ct_equal(at_a->reveal(), at_b->reveal()));
  EXPECT_EQ(of_a.available(), 1U);
  EXPECT_EQ(of_b.available(), 1U);
}

TEST(Spake2Run, RefusesWhatACallerGotWrong) {
  crypto::SystemRng rng;
  const auto w = scalar_of(Suite::p256_sha256_hmac, "p");
  EXPECT_EQ(initiate({.AAD = Buffer(8177)}, w, rng).error(), Errc::misuse);
  EXPECT_TRUE(initiate({.AAD = Buffer(8176)}, w, rng));
  EXPECT_EQ(PasswordScalar::from_mhf_output(Suite::p256_sha256_hmac, Buffer(39, std::uint8_t{1})).error(),
            Errc::misuse);
  EXPECT_EQ(PasswordScalar::from_mhf_output(Suite::p256_sha256_hmac, Buffer(40)).error(), Errc::malformed) << "zero";
  EXPECT_EQ(PasswordScalar::decode(Suite::p256_sha256_hmac, Buffer(32)).error(), Errc::malformed) << "zero";
  EXPECT_EQ(PasswordScalar::decode(static_cast<Suite>(7), Buffer(32)).error(), Errc::misuse);
  EXPECT_EQ(PasswordScalar::from_password(Suite::p256_sha256_hmac, crypto::IdentityWithoutAnyProtection{}, {}).error(),
            Errc::misuse);
  testing::StuckRng stuck(0);
  EXPECT_EQ(initiate({}, w, stuck).error(), Errc::unavailable);
}

}  // namespace
}  // namespace pake::spake2
