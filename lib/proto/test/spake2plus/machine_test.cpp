#include "pake/proto/spake2plus/machine.h"

#include <gtest/gtest.h>

#include "../drive.h"
#include "pake/crypto/rng.h"
#include "support.h"

namespace pake::spake2plus {
namespace {

const crypto::Scrypt kCheap = {.salt = Buffer(16), .N = 2, .r = 1, .p = 1, .output_length = 0};

class Spake2PlusMachines : public ::testing::TestWithParam<Suite> {
 protected:
  crypto::SystemRng rng_;
  GuessBudget budget_{1};

  [[nodiscard]] Config config(std::string_view name = "alice") const {
    return {.suite = GetParam(), .Context = {1, 2}, .idProver = to_buffer(as_bytes(name)), .idVerifier = {3}};
  }
  [[nodiscard]] std::optional<Buffer> record_of(std::string_view password, Suite suite) const {
    const auto secret = ProverSecret::from_password(suite, kCheap, as_bytes(password),
                                                    {.prover = as_bytes("alice"), .verifier = Buffer{3}});
    return to_buffer(StoredVerifierRecord{.record = secret->verifier_record()}.encode().reveal());
  }
  std::unique_ptr<Machine> prover(std::string_view password) {
    return prover_machine(config(), kCheap, SecretBuffer::copy_of(as_bytes(password)), rng_);
  }
  std::unique_ptr<Machine> verifier(std::string_view name = "alice") {
    return verifier_machine(config(name), SecretBuffer::copy_of(Buffer(32, std::uint8_t{5})),
                            std::move(*budget_.take()), rng_);
  }
};
INSTANTIATE_TEST_SUITE_P(EverySuite, Spake2PlusMachines, ::testing::ValuesIn(kSuites),
                         ::testing::PrintToStringParamName());

TEST_P(Spake2PlusMachines, AgreeHoweverTheBytesArrive) {
  for (const auto step : {1U, 50U, 1000U}) {
    const auto a = prover("secret"), b = verifier();
    testing::drive(*a, *b, step, [&] { return record_of("secret", GetParam()); });
    testing::expect_agreement(*a, *b, parameters(GetParam()).shared_key_size);
    EXPECT_EQ(budget_.available(), 1U);
  }
}

TEST_P(Spake2PlusMachines, AWrongPasswordAndAnUnknownNameLookAlikeAndCostAGuess) {
  for (const bool known : {true, false}) {
    budget_ = GuessBudget(1);
    {
      const auto a = prover("guess"), b = verifier();
      testing::drive(*a, *b, 1000, [&] { return known ? record_of("secret", GetParam()) : std::nullopt; });
      EXPECT_EQ(a->error(), Errc::auth_failed);
      EXPECT_EQ(b->want(), Want::receive) << "it was told nothing";
    }
    EXPECT_EQ(budget_.available(), 0U);
  }
}

TEST_P(Spake2PlusMachines, RecordsThatAreNoneEndTheRun) {
  const auto other = GetParam() == Suite::p256_sha256_hmac ? Suite::p256_sha256_cmac : Suite::p256_sha256_hmac;
  for (const auto& stored : {std::optional<Buffer>(Buffer{}), record_of("secret", other)}) {
    const auto a = prover("secret"), b = verifier();
    testing::drive(*a, *b, 1000, [&] { return stored; });
    EXPECT_EQ(b->error(), Errc::unavailable);
    EXPECT_EQ(budget_.available(), 1U) << "nothing left";
  }
}

TEST_P(Spake2PlusMachines, ACallOutOfTurnEndsTheRun) {
  const auto out_of_turn = [&](auto call) {
    const auto a = prover("secret");
    call(*a);
    EXPECT_EQ(a->error(), Errc::misuse);
    EXPECT_EQ(a->take_session_key().error(), Errc::misuse);
  };
  out_of_turn([](Machine& a) { static_cast<void>(a.take_message()); });
  out_of_turn([](Machine& a) { static_cast<void>(a.receive({}, Arrived::more_may_come)); });
  out_of_turn([](Machine& a) { static_cast<void>(a.provide_record({})); });
  out_of_turn([](Machine& a) { static_cast<void>(a.resume(nullptr)); });
  out_of_turn([](Machine& a) {
    auto job = a.take_job();
    static_cast<void>(a.resume(std::move(*job)));  // it has not run
  });
  out_of_turn([](Machine& a) {
    const auto job = a.take_job();
    static_cast<void>(a.take_job());
  });
}

TEST_P(Spake2PlusMachines, AreOverFromTheStartWhereTheConfigurationIsWrong) {
  EXPECT_EQ(prover("")->error(), Errc::misuse) << "no password";
  EXPECT_EQ(verifier_machine(config(), SecretBuffer::copy_of(Buffer(31)), std::move(*budget_.take()), rng_)->error(),
            Errc::misuse);
  auto unknown = config();
  unknown.suite = static_cast<Suite>(7);
  EXPECT_EQ(prover_machine(unknown, kCheap, SecretBuffer::copy_of(Buffer(1)), rng_)->error(), Errc::misuse);
  EXPECT_EQ(verifier_machine(unknown, SecretBuffer::copy_of(Buffer(32)), std::move(*budget_.take()), rng_)->error(),
            Errc::misuse);
}

}  // namespace
}  // namespace pake::spake2plus
