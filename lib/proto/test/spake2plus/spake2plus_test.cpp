#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "pake/crypto/rng.h"
#include "pake/proto/spake2plus/matter.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/registration.h"
#include "pake/proto/spake2plus/verifier.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"
#include "support.h"

namespace pake::spake2plus {
namespace {

struct Outcome {
  std::optional<SharedKey> prover, verifier;
  Errc error = Errc::misuse;
  bool confirmP_left = false;
  std::size_t guesses_left = 0;
};

/// A run in which one thing may be a lie.
struct Login {
  Suite suite = Suite::p256_sha256_hmac;
  std::string password = "correct horse";
  std::string Context = "context", idProver = "client", idVerifier = "server";  // the prover's
  std::function<void(Buffer&)> on_shareP = [](Buffer&) {};
  std::function<void(Buffer& shareV, Buffer& confirmV)> on_answer = [](Buffer&, Buffer&) {};
  std::function<void(Buffer&)> on_confirmP = [](Buffer&) {};

  [[nodiscard]] Outcome run() const {
    crypto::SystemRng rng;
    GuessBudget budget(1);
    Outcome outcome;
    const auto record = secret_of(suite, "correct horse").verifier_record();
    auto prover = start({.Context = as_bytes(Context),
                         .identities = {.prover = as_bytes(idProver), .verifier = as_bytes(idVerifier)}},
                        secret_of(suite, password), rng)
                      .value();
    auto shareP = prover.shareP;
    on_shareP(shareP);
    auto answer = respond(
        {.Context = as_bytes("context"), .identities = {.prover = as_bytes("client"), .verifier = as_bytes("server")}},
        record, std::move(*budget.take()), shareP, rng);
    outcome.guesses_left = budget.available();
    if (!answer) {
      outcome.error = answer.error();
      return outcome;
    }
    {
      auto verifier = std::move(answer->next);
      on_answer(answer->shareV, answer->confirmV);
      auto finished = std::move(prover.next).finish(answer->shareV, answer->confirmV);
      if (finished) {
        outcome.confirmP_left = true;
        outcome.prover = std::move(finished->K_shared);
        on_confirmP(finished->confirmP);
        auto key = std::move(verifier).finish(finished->confirmP);
        if (key)
          outcome.verifier = std::move(*key);
        else
          outcome.error = key.error();
      } else {
        outcome.error = finished.error();
      }
    }
    outcome.guesses_left = budget.available();
    return outcome;
  }
};

class Spake2Plus : public ::testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(EverySuite, Spake2Plus, ::testing::ValuesIn(kSuites), ::testing::PrintToStringParamName());

TEST_P(Spake2Plus, GivesBothSidesOneKeyAndTheGuessBack) {
  const auto outcome = Login{.suite = GetParam()}.run();
  ASSERT_TRUE(outcome.prover && outcome.verifier);
  EXPECT_TRUE(ct_equal(outcome.prover->reveal(), outcome.verifier->reveal()));
  EXPECT_EQ(outcome.prover->size(), parameters(GetParam()).shared_key_size);
  EXPECT_EQ(outcome.guesses_left, 1U);
}

// Inputs are filled in one statement, from what ends with it, and used in the next.
TEST_P(Spake2Plus, InputsOutliveWhatTheyWereMadeOf) {
  testing::SeededRng rng(1);
  const auto text = [](std::string_view what) {
    return to_buffer(as_bytes(std::string(what) + std::string(100, '.')));
  };
  const auto names = [&] { return Identities{.prover = text("client"), .verifier = text("server")}; };
  const auto inputs = [&] { return Inputs{.Context = text("context"), .identities = names()}; };
  const auto one = inputs(), other = inputs();
  const auto secret = secret_of(GetParam(), "correct horse");
  auto prover = start(one, secret, rng).value();
  auto answer =
      respond(other, secret.verifier_record(), GuessPermit::uncounted_for_study(), prover.shareP, rng).value();
  const auto finished = std::move(prover.next).finish(answer.shareV, answer.confirmV);
  ASSERT_TRUE(finished);
  EXPECT_TRUE(std::move(answer.next).finish(finished->confirmP));
  EXPECT_TRUE(ct_equal(pbkdf_input(as_bytes("p"), one.identities).reveal(),
                       pbkdf_input(as_bytes("p"), other.identities).reveal()));
}

TEST_P(Spake2Plus, GivesAWrongPasswordNothingAndKeepsTheGuess) {
  const auto outcome = Login{.suite = GetParam(), .password = "incorrect horse"}.run();
  EXPECT_FALSE(outcome.prover || outcome.verifier || outcome.confirmP_left);
  EXPECT_EQ(outcome.error, Errc::auth_failed);
  EXPECT_EQ(outcome.guesses_left, 0U);
}

TEST_P(Spake2Plus, RefusesSharesThatAreNone) {
  const auto size = parameters(GetParam()).share_size;
  const auto refuse = [&](const char* what, const std::function<void(Buffer&)>& change) {
    const auto at_verifier = Login{.suite = GetParam(), .on_shareP = change}.run();
    EXPECT_EQ(at_verifier.error, Errc::malformed) << what;
    EXPECT_EQ(at_verifier.guesses_left, 1U) << what << ": nothing left the verifier";
    const auto at_prover =
        Login{.suite = GetParam(), .on_answer = [&](Buffer& shareV, Buffer&) { change(shareV); }}.run();
    EXPECT_EQ(at_prover.error, Errc::malformed) << what;
    EXPECT_EQ(at_prover.guesses_left, 0U) << what;
  };
  refuse("empty", [](Buffer& share) { share.clear(); });
  refuse("truncated", [](Buffer& share) { share.pop_back(); });
  refuse("extended", [](Buffer& share) { share.push_back(0); });
  refuse("zero", [&](Buffer& share) { share.assign(size, 0); });
  refuse("ones", [&](Buffer& share) { share.assign(size, 0xff); });
}

TEST(Spake2PlusRun, EveryByteOfEveryMessageMatters) {
  const auto sizes = parameters(Suite::p256_sha256_hmac);
  for (std::size_t i = 0; i < sizes.share_size; i += 5) {
    EXPECT_FALSE(Login{.on_shareP = [&](Buffer& share) { share[i] ^= 1U; }}.run().verifier) << "shareP " << i;
    EXPECT_FALSE(Login{.on_answer = [&](Buffer& share, Buffer&) { share[i] ^= 1U; }}.run().prover) << "shareV " << i;
  }
  for (std::size_t i = 0; i < sizes.tag_size; i += 3) {
    EXPECT_FALSE(Login{.on_answer = [&](Buffer&, Buffer& tag) { tag[i] ^= 0x80U; }}.run().prover) << "confirmV " << i;
    const auto outcome = Login{.on_confirmP = [&](Buffer& tag) { tag[i] ^= 0x80U; }}.run();
    EXPECT_FALSE(outcome.verifier) << "confirmP " << i;
    EXPECT_EQ(outcome.error, Errc::auth_failed);
    EXPECT_EQ(outcome.guesses_left, 0U);
  }
}

TEST(Spake2PlusRun, TagsOfAnotherSizeAreMalformed) {
  for (const auto* const what : {"shorter", "longer", "empty"}) {
    const auto change = [&](Buffer& tag) {
      if (what == std::string_view("shorter")) tag.pop_back();
      if (what == std::string_view("longer")) tag.push_back(0);
      if (what == std::string_view("empty")) tag.clear();
    };
    EXPECT_EQ(Login{.on_answer = [&](Buffer&, Buffer& tag) { change(tag); }}.run().error, Errc::malformed) << what;
    EXPECT_EQ(Login{.on_confirmP = change}.run().error, Errc::malformed) << what;
  }
}

TEST(Spake2PlusRun, ContextAndIdentitiesAreBound) {
  EXPECT_TRUE(Login{}.run().verifier);
  EXPECT_FALSE(Login{.Context = "contexT"}.run().prover);
  EXPECT_FALSE(Login{.Context = ""}.run().prover);
  EXPECT_FALSE(Login{.idProver = "Client"}.run().prover);
  EXPECT_FALSE(Login{.idVerifier = ""}.run().prover);
  // The lengths keep the fields apart.
  EXPECT_FALSE((Login{.idProver = "clients", .idVerifier = "erver"}.run().prover));
}

TEST(Spake2PlusRun, AShareThatComesBackIsNoAnswer) {
  crypto::SystemRng rng;
  const auto secret = secret_of(Suite::p256_sha256_hmac, "p");
  auto prover = start({}, secret, rng).value();
  EXPECT_FALSE(std::move(prover.next).finish(prover.shareP, Buffer(32)));
}

TEST(Spake2PlusRun, AStepIsTakenOnce) {
  crypto::SystemRng rng;
  const auto secret = secret_of(Suite::p256_sha256_hmac, "p");
  auto prover = start({}, secret, rng).value();
  auto answer = respond({}, secret.verifier_record(), GuessPermit::uncounted_for_study(), prover.shareP, rng).value();
  auto next = std::move(prover.next);
  auto finished = std::move(next).finish(answer.shareV, answer.confirmV);
  ASSERT_TRUE(finished);
  // NOLINTBEGIN(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(std::move(next).finish(answer.shareV, answer.confirmV).error(), Errc::misuse);
  EXPECT_EQ(std::move(next).finish_without_confirmation_peer_unproven(answer.shareV).error(), Errc::misuse);
  EXPECT_FALSE(std::move(answer.next).finish(Buffer(32)));
  EXPECT_EQ(std::move(answer.next).finish(finished->confirmP).error(), Errc::misuse) << "a failed step is the last one";
  EXPECT_EQ(std::move(answer.next).finish_without_confirmation_peer_unproven().error(), Errc::misuse);
  // NOLINTEND(bugprone-use-after-move)
}

TEST(Spake2PlusRun, WithoutConfirmationTheKeysAgreeAndTheGuessStaysSpent) {
  crypto::SystemRng rng;
  GuessBudget budget(2);
  const auto secret = secret_of(Suite::p256_sha256_hmac, "p");
  const auto run = [&](bool refund) {
    auto prover = start({}, secret, rng).value();
    auto answer = respond({}, secret.verifier_record(), std::move(*budget.take()), prover.shareP, rng).value();
    const auto of_prover = std::move(prover.next).finish_without_confirmation_peer_unproven(answer.shareV).value();
    auto of_verifier = std::move(answer.next).finish_without_confirmation_peer_unproven().value();
    EXPECT_TRUE(ct_equal(of_prover.reveal(), of_verifier.K_shared.reveal()));
    if (refund) of_verifier.permit.refund();
  };
  run(true);
  EXPECT_EQ(budget.available(), 2U);
  run(false);
  EXPECT_EQ(budget.available(), 1U);
}

TEST(Spake2PlusRun, ABrokenSourceOfRandomnessIsNoShare) {
  testing::StuckRng rng(0);
  EXPECT_EQ(start({}, secret_of(Suite::p256_sha256_hmac, "p"), rng).error(), Errc::unavailable);
}

// --- What is stored

TEST_P(Spake2Plus, StoresWhatItReads) {
  const auto secret = secret_of(GetParam(), "p");
  const auto& of = parameters(GetParam());
  EXPECT_EQ(secret.encode().size(), 2 * of.scalar_size);
  EXPECT_TRUE(ct_equal(ProverSecret::decode(GetParam(), secret.encode().reveal())->encode().reveal(),
                       secret.encode().reveal()));
  const auto record = secret.verifier_record().encode();
  EXPECT_EQ(record.size(), of.scalar_size + of.share_size);
  EXPECT_TRUE(ct_equal(VerifierRecord::decode(GetParam(), record.reveal())->encode().reveal(), record.reveal()));

  const StoredVerifierRecord stored = {.ksf = 2, .epoch = 7, .record = secret.verifier_record()};
  const auto bytes = stored.encode();
  const auto read = StoredVerifierRecord::decode(bytes.reveal()).value();
  EXPECT_EQ(read.ksf, 2);
  EXPECT_EQ(read.epoch, 7U);
  EXPECT_EQ(read.record.suite(), GetParam());
  EXPECT_TRUE(ct_equal(read.encode().reveal(), bytes.reveal()));
}

TEST_P(Spake2Plus, RefusesWhatIsNoRecord) {
  const auto& of = parameters(GetParam());
  const auto good = to_buffer(secret_of(GetParam(), "p").verifier_record().encode().reveal());
  const auto refuse = [&](const char* what, const std::function<void(Buffer&)>& change) {
    auto bytes = good;
    change(bytes);
    EXPECT_EQ(VerifierRecord::decode(GetParam(), bytes).error(), Errc::malformed) << what;
  };
  refuse("empty", [](Buffer& bytes) { bytes.clear(); });
  refuse("shorter", [](Buffer& bytes) { bytes.pop_back(); });
  refuse("longer", [](Buffer& bytes) { bytes.push_back(0); });
  refuse("w0 = 0", [&](Buffer& bytes) { std::fill_n(bytes.begin(), of.scalar_size, std::uint8_t{0}); });
  refuse("w0 too large", [&](Buffer& bytes) { std::fill_n(bytes.begin(), of.scalar_size, std::uint8_t{0xff}); });
  refuse("L = 0", [&](Buffer& bytes) {
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(of.scalar_size), bytes.end(), std::uint8_t{0});
  });
  auto secret = to_buffer(secret_of(GetParam(), "p").encode().reveal());
  std::fill(secret.begin() + static_cast<std::ptrdiff_t>(of.scalar_size), secret.end(), std::uint8_t{0});
  EXPECT_EQ(ProverSecret::decode(GetParam(), secret).error(), Errc::malformed) << "w1 = 0";
}

TEST(Spake2PlusStored, EveryByteOfTheEnvelopeButTheEpochMatters) {
  const auto good = to_buffer(
      StoredVerifierRecord{.ksf = 1, .epoch = 1, .record = secret_of(Suite::p256_sha256_hmac, "p").verifier_record()}
          .encode()
          .reveal());
  for (std::size_t i = 0; i < 8; ++i) {
    auto bytes = good;
    bytes[i] ^= 0x40U;
    EXPECT_FALSE(StoredVerifierRecord::decode(bytes)) << i;
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(StoredVerifierRecord::decode(Bytes(good).first(size))) << size;
  auto longer = good;
  longer.push_back(0);
  EXPECT_FALSE(StoredVerifierRecord::decode(longer));
}

TEST(Spake2PlusStored, AFakeRecordIsAlwaysTheSameForItsName) {
  const Buffer server_secret(32, std::uint8_t{9}), other_secret(32, std::uint8_t{8});
  const auto fake = [&](Bytes secret, std::string_view name, Suite suite = Suite::p256_sha256_hmac) {
    return to_buffer(VerifierRecord::fake(suite, secret, as_bytes(name))->encode().reveal());
  };
  EXPECT_EQ(fake(server_secret, "alice"), fake(server_secret, "alice"));
  EXPECT_NE(fake(server_secret, "alice"), fake(server_secret, "alicf"));
  EXPECT_NE(fake(server_secret, "alice"), fake(other_secret, "alice"));
  EXPECT_NE(fake(server_secret, "alice"), fake(server_secret, "alice", Suite::p256_sha256_cmac));
  EXPECT_EQ(VerifierRecord::fake(Suite::p256_sha256_hmac, Bytes(server_secret).first(31), {}).error(), Errc::misuse);
}

TEST(Spake2PlusRegistration, TheHalvesAreHalvesOfAnyLength) {
  const Buffer output(100, std::uint8_t{3});
  const auto from = [&](std::size_t size) {
    return ProverSecret::from_pbkdf_output(Suite::p256_sha256_hmac, Bytes(output).first(size));
  };
  EXPECT_TRUE(from(80) && from(82) && from(100));
  EXPECT_FALSE(ct_equal(from(80)->encode().reveal(), from(82)->encode().reveal()));
  EXPECT_EQ(from(78).error(), Errc::misuse);
  EXPECT_EQ(from(81).error(), Errc::misuse);
  EXPECT_EQ(ProverSecret::from_pbkdf_output(Suite::p256_sha256_hmac, Buffer(80)).error(), Errc::malformed) << "zero";
}

TEST(Spake2PlusRegistration, RefusesAnEmptyPasswordAndAnUnknownSuite) {
  constexpr auto kSuite = Suite::p256_sha256_hmac;
  constexpr auto kUnknown = static_cast<Suite>(0);
  const crypto::KsfParameters ksf = crypto::IdentityWithoutAnyProtection{};
  EXPECT_EQ(ProverSecret::from_password(kSuite, ksf, {}, {}).error(), Errc::misuse);
  EXPECT_EQ(ProverSecret::from_password(kUnknown, ksf, as_bytes("p"), {}).error(), Errc::misuse);
  EXPECT_EQ(ProverSecret::from_pbkdf_output(kUnknown, Buffer(80, std::uint8_t{1})).error(), Errc::misuse);
  EXPECT_EQ(ProverSecret::decode(kUnknown, Buffer(64, std::uint8_t{1})).error(), Errc::misuse);
  EXPECT_EQ(VerifierRecord::decode(kUnknown, Buffer(97, std::uint8_t{1})).error(), Errc::misuse);
  EXPECT_EQ(VerifierRecord::fake(kUnknown, Buffer(32), as_bytes("name")).error(), Errc::misuse);
}

// --- Matter

TEST(Matter, RefusesTrivialPasscodesAndParametersOutOfBounds) {
  const Buffer salt(16);
  for (const auto passcode : {0U, 11111111U, 22222222U, 88888888U, 12345678U, 87654321U, 99999999U, 100000000U})
    EXPECT_EQ(matter::prover_secret(passcode, salt, 1000).error(), Errc::misuse) << passcode;
  EXPECT_EQ(matter::prover_secret(20202021, Buffer(15), 1000).error(), Errc::misuse);
  EXPECT_EQ(matter::prover_secret(20202021, Buffer(33), 1000).error(), Errc::misuse);
  EXPECT_EQ(matter::prover_secret(20202021, salt, 999).error(), Errc::misuse);
  EXPECT_EQ(matter::prover_secret(20202021, salt, 100001).error(), Errc::misuse);
  EXPECT_TRUE(matter::prover_secret(1, salt, 1000) && matter::prover_secret(99999998, salt, 1000));
}

}  // namespace
}  // namespace pake::spake2plus
