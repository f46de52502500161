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
