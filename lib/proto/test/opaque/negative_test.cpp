// One lie a run. Of the bits as pake/testing/flips.h chooses them.
#include <gtest/gtest.h>

#include <type_traits>

#include "device.h"
#include "pake/internal/try.h"
#include "pake/proto/opaque/stored.h"
#include "pake/testing/flips.h"
#include "rig.h"

namespace pake::opaque {
namespace {

class EveryBit : public ::testing::TestWithParam<SuiteId> {};
INSTANTIATE_TEST_SUITE_P(Opaque, EveryBit, ::testing::Values(SuiteId::ristretto255, SuiteId::p256));

/// Runs a lie and says what must be so whatever it was: no key that both sides share, and no error but a refusal.
Outcome refused(const Rig& rig, std::size_t bit) {
  auto outcome = rig.run();
  EXPECT_TRUE(outcome.error == Errc::malformed || outcome.error == Errc::auth_failed) << "bit " << bit;
  EXPECT_TRUE(outcome.server_key.empty()) << "bit " << bit;
  return outcome;
}

TEST_P(EveryBit, OfTheRegistrationRequestMatters) {
  for (const auto bit : testing::bits_to_flip(sizes(GetParam()).registration_request()))
    EXPECT_TRUE(refused({.suite = GetParam(), .lie_in_request = flip_bit(bit)}, bit).no_key()) << "bit " << bit;
}

TEST_P(EveryBit, OfTheRegistrationResponseMatters) {
  for (const auto bit : testing::bits_to_flip(sizes(GetParam()).registration_response()))
    EXPECT_TRUE(refused({.suite = GetParam(), .lie_in_response = flip_bit(bit)}, bit).no_key()) << "bit " << bit;
}

TEST_P(EveryBit, OfTheRecordMatters) {
  for (const auto bit : testing::bits_to_flip(sizes(GetParam()).registration_record()))
    EXPECT_TRUE(refused({.suite = GetParam(), .lie_in_record = flip_bit(bit)}, bit).no_key()) << "bit " << bit;
}

TEST_P(EveryBit, OfKE1Matters) {
  for (const auto bit : testing::bits_to_flip(sizes(GetParam()).KE1()))
    EXPECT_TRUE(refused({.suite = GetParam(), .lie_in_ke1 = flip_bit(bit)}, bit).no_key()) << "bit " << bit;
}

TEST_P(EveryBit, OfKE2Matters) {
  for (const auto bit : testing::bits_to_flip(sizes(GetParam()).KE2())) {
    const auto outcome = refused({.suite = GetParam(), .lie_in_ke2 = flip_bit(bit)}, bit);
    EXPECT_TRUE(outcome.no_key()) << "bit " << bit;
    EXPECT_EQ(outcome.failed_at, "generate_ke3") << "bit " << bit;
  }
}

TEST_P(EveryBit, OfKE3Matters) {
  for (const auto bit : testing::bits_to_flip(sizes(GetParam()).KE3())) {
    const auto outcome = refused({.suite = GetParam(), .lie_in_ke3 = flip_bit(bit)}, bit);
    EXPECT_EQ(outcome.error, Errc::auth_failed) << "bit " << bit;
    EXPECT_EQ(outcome.failed_at, "server_finish") << "bit " << bit;
  }
}

TEST(OpaqueNegative, MessagesOfAnotherLengthAreMalformed) {
  const Lie shorter = [](Buffer& message) { message.pop_back(); };
  const Lie longer = [](Buffer& message) { message.push_back(0); };
  const Lie nothing = [](Buffer& message) { message.clear(); };
  for (const auto& lie : {shorter, longer, nothing}) {
    EXPECT_EQ((Rig{.lie_in_request = lie}.run().failed_at), "create_registration_response");
    EXPECT_EQ((Rig{.lie_in_response = lie}.run().failed_at), "finalize_registration_request");
    EXPECT_EQ((Rig{.lie_in_record = lie}.run().failed_at), "record");
    EXPECT_EQ((Rig{.lie_in_ke1 = lie}.run().failed_at), "generate_ke2");
    EXPECT_EQ((Rig{.lie_in_ke2 = lie}.run().failed_at), "generate_ke3");
    EXPECT_EQ((Rig{.lie_in_ke3 = lie}.run().failed_at), "server_finish");
    EXPECT_EQ((Rig{.lie_in_request = lie}.run().error), Errc::malformed);
    EXPECT_EQ((Rig{.lie_in_response = lie}.run().error), Errc::malformed);
    EXPECT_EQ((Rig{.lie_in_record = lie}.run().error), Errc::malformed);
    EXPECT_EQ((Rig{.lie_in_ke1 = lie}.run().error), Errc::malformed);
    EXPECT_EQ((Rig{.lie_in_ke2 = lie}.run().error), Errc::malformed);
    EXPECT_EQ((Rig{.lie_in_ke3 = lie}.run().error), Errc::malformed);
  }
}

class OpaqueReflection : public ::testing::TestWithParam<SuiteId> {};
INSTANTIATE_TEST_SUITE_P(EverySuite, OpaqueReflection, ::testing::ValuesIn(kAllSuites));

TEST_P(OpaqueReflection, OfTheBlindedMessageIsRefused) {
  Buffer mine;
  const auto keep = [&](const Buffer& message) { mine = message; };
  const Lie reflect = [&](Buffer& message) { std::copy_n(mine.begin(), sizes(GetParam()).Noe, message.begin()); };
  const auto registration = Rig{.suite = GetParam(), .lie_in_request = keep, .lie_in_response = reflect}.run();
  EXPECT_EQ(registration.failed_at, "finalize_registration_request");
  EXPECT_EQ(registration.error, Errc::malformed);
  const auto login = Rig{.suite = GetParam(), .lie_in_ke1 = keep, .lie_in_ke2 = reflect}.run();
  EXPECT_EQ(login.failed_at, "generate_ke3");
  EXPECT_EQ(login.error, Errc::malformed);
}

TEST(OpaqueNegative, TheServersOwnMacIsNotTheClients) {
  Buffer ke2;
  const auto outcome = Rig{.lie_in_ke2 = [&](Buffer& message) { ke2 = message; },
                           .lie_in_ke3 = [&](Buffer& message) { message.assign(ke2.end() - 64, ke2.end()); }}
                           .run();
  EXPECT_EQ(outcome.error, Errc::auth_failed);
  EXPECT_EQ(outcome.failed_at, "server_finish");
}

TEST(OpaqueNegative, InputsThatAreTooLongAreMisuseBeforeAnyWork) {
  const std::string longest(65535, 'x'), too_long(65536, 'x');
  EXPECT_TRUE((Rig{.password = longest, .login_password = longest}.run().agreed()));
  EXPECT_TRUE((Rig{.client = {.context = longest}, .server = {.context = longest}}.run().agreed()));
  const View named{.client_identity = longest, .server_identity = longest};
  EXPECT_TRUE((Rig{.registration = named, .client = named, .server = named}.run().agreed()));

  const auto misuse = [](const Rig& rig, const char* step) {
    const auto outcome = rig.run();
    EXPECT_EQ(outcome.error, Errc::misuse);
    EXPECT_EQ(outcome.failed_at, step);
    EXPECT_TRUE(outcome.no_key());
  };
  misuse({.password = too_long}, "create_registration_request");
  misuse({.credential_identifier = ""}, "create_registration_response");
  misuse({.login_password = too_long}, "generate_ke1");
  misuse({.registration = {.client_identity = too_long}}, "finalize_registration_request");
  misuse({.registration = {.server_identity = too_long}}, "finalize_registration_request");
  misuse({.credential_identifier = too_long}, "create_registration_response");
  misuse({.login_credential_identifier = too_long}, "generate_ke2");
  misuse({.client = {.context = too_long}}, "generate_ke3");
  misuse({.client = {.client_identity = too_long}}, "generate_ke3");
  misuse({.client = {.server_identity = too_long}}, "generate_ke3");
  misuse({.server = {.context = too_long}}, "generate_ke2");
  misuse({.server = {.client_identity = too_long}}, "generate_ke2");
  misuse({.server = {.server_identity = too_long}}, "generate_ke2");
}

// ristretto255 and its mixed suite have messages of the same sizes; all others differ in them.
TEST(OpaqueNegative, SidesOfDifferentSuitesGetNoKey) {
  testing::SeededRng rng(17);
  for (const auto client : kAllSuites)
    for (const auto server : kAllSuites) {
      if (client == server) continue;
      const auto keys = ServerKeys::generate(server, rng).value();
      const auto record = fake_record(server, rng).value();
      auto started = ClientLogin(client, secret("x")).generate_ke1(rng).value();
      auto answered =
          ServerLogin(server, GuessPermit::uncounted_for_study())
              .generate_ke2(started.ke1, {.record = record, .credential_identifier = as_bytes("1")}, keys, rng);
      if (!answered) {
        EXPECT_EQ(answered.error(), Errc::malformed);
        continue;
      }
      EXPECT_EQ(sizes(client).KE1(), sizes(server).KE1());
      const auto finished =
          std::move(started.next).generate_ke3(answered->ke2, {.ksf = crypto::IdentityWithoutAnyProtection{}});
      EXPECT_FALSE(finished);
    }
}

TEST(OpaqueNegative, AKsfWithoutMemoryIsUnavailable) {
  const auto outcome =
      Rig{.login_ksf = crypto::Argon2id{.memory_kib = UINT32_MAX, .passes = 1, .lanes = 1, .tag_length = 64}}.run();
  EXPECT_EQ(outcome.error, Errc::unavailable);
  EXPECT_EQ(outcome.failed_at, "generate_ke3");
}

// Each step takes its object: a second call, whatever the first one gave, is misuse.
// NOLINTBEGIN(bugprone-use-after-move): that is what is tested.
class SpentState : public ::testing::Test {
 protected:
  const crypto::KsfParameters ksf_ = crypto::IdentityWithoutAnyProtection{};
  testing::SeededRng rng_{7};
  ServerKeys keys_ = ServerKeys::generate(SuiteId::ristretto255, rng_).value();
  RegistrationRecord record_ = fake_record(SuiteId::ristretto255, rng_).value();
  ServerLoginInputs inputs_{.record = record_, .credential_identifier = as_bytes("1234")};
};

TEST_F(SpentState, OfARegistration) {
  ClientRegistration start(SuiteId::ristretto255, secret("x"));
  auto requested = std::move(start).create_registration_request(rng_).value();
  EXPECT_EQ(std::move(start).create_registration_request(rng_).error(), Errc::misuse);

  const auto response = create_registration_response(requested.registration_request, keys_, as_bytes("1234"),
                                                     GuessPermit::uncounted_for_study())
                            .value();
  auto stretching = std::move(requested.next).receive_registration_response(response, {.ksf = ksf_}).value();
  EXPECT_EQ(std::move(requested.next).receive_registration_response(response, {.ksf = ksf_}).error(), Errc::misuse);
  EXPECT_EQ(std::move(requested.next).finalize_registration_request(response, {.ksf = ksf_}, rng_).error(),
            Errc::misuse);

  const auto job = stretching.ksf_job().value();
  EXPECT_TRUE(std::move(stretching).finalize_registration_request(job.run().value(), rng_));
  EXPECT_EQ(std::move(stretching).finalize_registration_request(job.run().value(), rng_).error(), Errc::misuse);
  EXPECT_EQ(stretching.ksf_job().error(), Errc::misuse);
}

TEST_F(SpentState, OfALogin) {
  ClientLogin start(SuiteId::ristretto255, secret("x"));
  auto started = std::move(start).generate_ke1(rng_).value();
  EXPECT_EQ(std::move(start).generate_ke1(rng_).error(), Errc::misuse);

  ServerLogin server(SuiteId::ristretto255, GuessPermit::uncounted_for_study());
  auto answered = std::move(server).generate_ke2(started.ke1, inputs_, keys_, rng_).value();
  EXPECT_EQ(std::move(server).generate_ke2(started.ke1, inputs_, keys_, rng_).error(), Errc::misuse);
  EXPECT_EQ(std::move(server).receive_ke1(started.ke1, inputs_, device_with(keys_), rng_).error(), Errc::misuse);

  auto stretching = std::move(started.next).receive_ke2(answered.ke2, {.ksf = ksf_}).value();
  EXPECT_EQ(std::move(started.next).receive_ke2(answered.ke2, {.ksf = ksf_}).error(), Errc::misuse);
  EXPECT_EQ(std::move(started.next).generate_ke3(answered.ke2, {.ksf = ksf_}).error(), Errc::misuse);

  const auto job = stretching.ksf_job().value();
  EXPECT_EQ(std::move(stretching).generate_ke3(job.run().value()).error(), Errc::auth_failed);  // a fake record
  EXPECT_EQ(std::move(stretching).generate_ke3(job.run().value()).error(), Errc::misuse);
  EXPECT_EQ(stretching.ksf_job().error(), Errc::misuse);

  EXPECT_EQ(std::move(answered.next).server_finish(Buffer(64)).error(), Errc::auth_failed);
  EXPECT_EQ(std::move(answered.next).server_finish(Buffer(64)).error(), Errc::misuse);
}

TEST_F(SpentState, EvenAfterAMalformedMessage) {
  auto started = ClientLogin(SuiteId::ristretto255, secret("x")).generate_ke1(rng_).value();
  EXPECT_EQ(std::move(started.next).receive_ke2(Buffer(320), {.ksf = ksf_}).error(), Errc::malformed);
  EXPECT_EQ(std::move(started.next).receive_ke2(Buffer(320), {.ksf = ksf_}).error(), Errc::misuse);

  ServerLogin server(SuiteId::ristretto255, GuessPermit::uncounted_for_study());
  EXPECT_EQ(std::move(server).generate_ke2(Buffer(96), inputs_, keys_, rng_).error(), Errc::malformed);
  EXPECT_EQ(std::move(server).generate_ke2(started.ke1, inputs_, keys_, rng_).error(), Errc::misuse);
}

TEST_F(SpentState, OfAKeyOperation) {
  const auto started = ClientLogin(SuiteId::ristretto255, secret("x")).generate_ke1(rng_).value();
  auto waiting = must_ask(ServerLogin(SuiteId::ristretto255, GuessPermit::uncounted_for_study())
                              .receive_ke1(started.ke1, inputs_, device_with(keys_), rng_));
  const auto answer = waiting.key_job()->run().value();
  EXPECT_TRUE(std::move(waiting).generate_ke2(answer));
  EXPECT_EQ(std::move(waiting).generate_ke2(answer).error(), Errc::misuse);
  EXPECT_EQ(waiting.key_job().error(), Errc::misuse);
}
// NOLINTEND(bugprone-use-after-move)

TEST(OpaqueNegative, ASourceThatIsStuckEndsTheRun) {
  for (const auto suite : kAllSuites) {
    for (const unsigned byte : {0x00U, 0xffU}) {
      testing::StuckRng rng(static_cast<std::uint8_t>(byte));
      auto login = ClientLogin(suite, SecretBuffer::copy_of(as_bytes("correct horse"))).generate_ke1(rng);
      EXPECT_EQ(login.error(), Errc::unavailable);
      auto registration =
          ClientRegistration(suite, SecretBuffer::copy_of(as_bytes("correct horse"))).create_registration_request(rng);
      EXPECT_EQ(registration.error(), Errc::unavailable);
    }
  }
}

}  // namespace
}  // namespace pake::opaque
