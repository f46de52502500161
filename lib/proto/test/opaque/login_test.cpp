// Registration and login between two honest sides, and sides that differ in one thing.
#include <gtest/gtest.h>

#include "rig.h"

namespace pake::opaque {
namespace {

const crypto::KsfParameters kSmallArgon2id =
    crypto::Argon2id{.memory_kib = 64, .passes = 1, .lanes = 1, .tag_length = 64};

class EverySuite : public ::testing::TestWithParam<SuiteId> {};
INSTANTIATE_TEST_SUITE_P(Opaque, EverySuite, ::testing::ValuesIn(kAllSuites));

TEST_P(EverySuite, AgreesOnAKeyAndGivesTheExportKeyOfTheRegistration) {
  const auto outcome = Rig{.suite = GetParam()}.run();
  const auto size = sizes(GetParam());
  EXPECT_EQ(outcome.failed_at, "");
  EXPECT_TRUE(outcome.agreed());
  EXPECT_EQ(outcome.client_key.size(), size.Nh);
  EXPECT_EQ(outcome.export_key.size(), size.Nh);
  EXPECT_EQ(outcome.export_key, outcome.export_key_of_registration);
  EXPECT_NE(outcome.export_key, outcome.client_key);
  EXPECT_EQ(outcome.record.size(), size.registration_record());
  EXPECT_EQ(outcome.ke1.size(), size.KE1());
  EXPECT_EQ(outcome.ke2.size(), size.KE2());
  EXPECT_EQ(outcome.ke3.size(), size.KE3());
}

TEST_P(EverySuite, AWrongPasswordGivesNobodyAKey) {
  const auto outcome = Rig{.suite = GetParam(), .login_password = "correct horsf"}.run();
  EXPECT_EQ(outcome.failed_at, "generate_ke3");
  EXPECT_EQ(outcome.error, Errc::auth_failed);
  EXPECT_TRUE(outcome.no_key());
}

TEST_P(EverySuite, AServerWithOtherKeysGivesNobodyAKey) {
  const auto outcome = Rig{.suite = GetParam(), .other_server_keys_at_login = true}.run();
  EXPECT_EQ(outcome.failed_at, "generate_ke3");
  EXPECT_EQ(outcome.error, Errc::auth_failed);
  EXPECT_TRUE(outcome.no_key());
}

// Inputs are filled in one statement, from what ends with it, and used in the next.
TEST(OpaqueLogin, InputsOutliveWhatTheyWereMadeOf) {
  constexpr auto kSuite = SuiteId::ristretto255;
  testing::SeededRng rng(1);
  const auto keys = ServerKeys::generate(kSuite, rng).value();
  const ServerKeys::Encoded encoded{.oprf_seed = to_buffer(keys.oprf_seed().reveal()),
                                    .private_key = to_buffer(keys.private_key().reveal())};
  EXPECT_TRUE(ServerKeys::decode(kSuite, encoded));
  const auto text = [](std::string_view what) {
    return to_buffer(as_bytes(std::string(what) + std::string(100, '.')));
  };
  const auto names = [&] { return Identities{.client = text("alice"), .server = text("server")}; };

  const RegistrationInputs registration{.identities = names(), .ksf = crypto::IdentityWithoutAnyProtection{}};
  auto requested = ClientRegistration(kSuite, secret("x")).create_registration_request(rng).value();
  const auto response = create_registration_response(requested.registration_request, keys, as_bytes("1234"),
                                                     GuessPermit::uncounted_for_study())
                            .value();
  const auto registered = std::move(requested.next).finalize_registration_request(response, registration, rng).value();
  const auto record = RegistrationRecord::decode(kSuite, registered.record).value();

  const auto server_inputs = [&] {
    return ServerLoginInputs{.record = record,
                             .credential_identifier = as_bytes(std::string("1234")),
                             .context = text("context"),
                             .identities = names()};
  }();
  const ClientLoginInputs client_inputs{
      .context = text("context"), .identities = names(), .ksf = crypto::IdentityWithoutAnyProtection{}};
  auto started = ClientLogin(kSuite, secret("x")).generate_ke1(rng).value();
  auto answered = ServerLogin(kSuite, GuessPermit::uncounted_for_study())
                      .generate_ke2(started.ke1, server_inputs, keys, rng)
                      .value();
  const auto finished = std::move(started.next).generate_ke3(answered.ke2, client_inputs).value();
  EXPECT_TRUE(std::move(answered.next).server_finish(finished.ke3));
}
// A record is borrowed, and a temporary one does not compile; the KSF cannot be left out.
static_assert(!std::constructible_from<decltype(ServerLoginInputs::record), RegistrationRecord>);
static_assert(!std::default_initializable<decltype(ClientLoginInputs::ksf)>);

TEST(OpaqueLogin, WorksWithoutIdentitiesAndContext) {
  const View nothing{.context = "", .client_identity = "", .server_identity = ""};
  EXPECT_TRUE((Rig{.registration = nothing, .client = nothing, .server = nothing}.run().agreed()));
}

TEST(OpaqueLogin, WorksWithARealKsf) {
  EXPECT_TRUE((Rig{.ksf = kSmallArgon2id, .login_ksf = kSmallArgon2id}.run().agreed()));
}

TEST(OpaqueLogin, NeedsTheSameOnBothSides) {
  const auto refused = [](const Rig& rig) {
    const auto outcome = rig.run();
    EXPECT_EQ(outcome.failed_at, "generate_ke3");
    EXPECT_EQ(outcome.error, Errc::auth_failed);
    EXPECT_TRUE(outcome.no_key());
  };
  refused({.client = {.context = "other"}});
  refused({.server = {.context = "other"}});
  refused({.client = {.context = ""}});
  refused({.client = {.client_identity = "malory"}});
  refused({.client = {.server_identity = "malory"}});
  refused({.server = {.client_identity = "malory"}});
  refused({.server = {.server_identity = "malory"}});
  refused({.registration = {.client_identity = "malory"}});
  refused({.registration = {.server_identity = "malory"}});
  refused({.client = {.client_identity = ""}});
  refused({.server = {.client_identity = ""}});
  refused({.server = {.server_identity = ""}});
  refused({.registration = {.client_identity = "", .server_identity = ""}});
  refused({.client = {.client_identity = "server", .server_identity = "alice"}});
  refused({.server = {.client_identity = "server", .server_identity = "alice"}});
  refused({.login_ksf = kSmallArgon2id});
  refused({.ksf = kSmallArgon2id});
  refused({.login_credential_identifier = "1235"});
}

}  // namespace
}  // namespace pake::opaque
