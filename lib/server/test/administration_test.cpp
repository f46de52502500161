#include "pake/server/administration.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "pake/crypto/rng.h"
#include "pake/identity/invitation.h"
#include "pake/server/accounts.h"
#include "pake/store/data.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using channel::Suite;
using crypto::KsfProfile;
using store::StoreErrc;
using store::UserState;

class AdministrationTest : public testing::Test {
 protected:
  AdministrationTest() {
    std::string directory = (std::filesystem::temp_directory_path() / "pake-XXXXXX").string();
    directory_ = ::mkdtemp(directory.data());
    auto data = store::open_or_create_data(
        {.directory = directory_},
        {.make_keys =
             [&](std::uint32_t epoch) {
               std::vector<store::EpochKeys> keys;
               keys.push_back(make_epoch_keys(Suite::opaque_ristretto255, KsfProfile::small, epoch, now_, rng_));
               return store::StoreResult<std::vector<store::EpochKeys>>(std::move(keys));
             },
         .parameters = {.epoch = 1,
                        .suite = static_cast<std::uint8_t>(Suite::opaque_ristretto255),
                        .ksf_profile = static_cast<std::uint8_t>(KsfProfile::small)}},
        now_, rng_);
    EXPECT_TRUE(data) << data.error().message;
    store_ = std::move(data->store);
    keyring_ = Keyring::make(std::move(data->keys)).value();
    accounts_ = std::make_unique<Accounts>(store_, keyring_);
    EXPECT_TRUE(accounts_->refresh_shares());
  }
  ~AdministrationTest() override { std::filesystem::remove_all(directory_); }

  Administration admin() {
    return {*store_, keyring_, rng_, [this] { return now_; }};
  }
  LoginRead::What login(std::string_view name) {
    const GuessKeys keys{.target = accounts_->bucket(store::BucketKind::account, as_bytes(name)),
                         .source = accounts_->bucket(store::BucketKind::source, as_bytes("192.0.2.7"))};
    const auto read = accounts_->read_login(as_bytes(name), keys, {}, now_);
    EXPECT_TRUE(read) << read.error().message;
    return read->what;
  }
  CodeRead code(std::string_view selector) {
    const GuessKeys keys{.target = accounts_->bucket(store::BucketKind::code, as_bytes(selector)),
                         .source = accounts_->bucket(store::BucketKind::source, as_bytes("192.0.2.7"))};
    auto read = accounts_->read_code(as_bytes(selector), keys, now_);
    EXPECT_TRUE(read) << read.error().message;
    return *std::move(read);
  }

  std::filesystem::path directory_;
  store::Time now_{1'800'000'000s};
  crypto::SystemRng rng_;
  std::shared_ptr<store::CredentialStore> store_;
  std::shared_ptr<const Keyring> keyring_;
  std::unique_ptr<Accounts> accounts_;
};

SecretBuffer password(std::string_view text) { return SecretBuffer::copy_of(as_bytes(text)); }

TEST_F(AdministrationTest, AnInvitationIsACodeForItsSelectorAlone) {
  const auto invited = admin().invite("alice");
  ASSERT_TRUE(invited) << invited.error().message;
  EXPECT_TRUE(invited->is_new_user);
  EXPECT_EQ(invited->expires_at, now_ + 24h);
  const auto parsed = identity::parse_invitation_code(invited->code.reveal());
  ASSERT_TRUE(parsed);
  const auto read = code(parsed->selector);
  EXPECT_TRUE(read.is_real);
  EXPECT_EQ(read.name, "alice");
  EXPECT_TRUE(std::ranges::equal(read.code.reveal(), parsed->words.reveal()));

  const auto other = code(parsed->selector == "1234567" ? "1234568" : "1234567");
  EXPECT_FALSE(other.is_real);
  EXPECT_FALSE(other.code.empty());
}

TEST_F(AdministrationTest, UnknownSelectorsAreConstantAndDifferent) {
  EXPECT_TRUE(std::ranges::equal(code("1000001").code.reveal(), code("1000001").code.reveal()));
  EXPECT_FALSE(std::ranges::equal(code("1000001").code.reveal(), code("1000002").code.reveal()));
  EXPECT_FALSE(code("").is_real);
  EXPECT_FALSE(code("../x").is_real);
}

// Tickets and nodes know a name by its generations: those of a name's new user are above those of its old one.
TEST_F(AdministrationTest, ANameThatIsMadeAnewBeginsAboveItsPast) {
  std::uint64_t last = 0;
  for (int i = 0; i < 16; ++i) {
    ASSERT_TRUE(admin().invite("alice"));
    const auto generation = store_->find_user("alice").value()->generation;
    EXPECT_GT(generation, last) << i;
    ASSERT_TRUE(admin().remove("alice"));
    last = store_->find_user("alice").value()->generation;
    ASSERT_EQ(store_->purge_removed(now_ + 1ms).value(), 1U);
  }
}

TEST_F(AdministrationTest, AnInvitationEndsWithItsDayAndWithANewerOne) {
  const auto first = identity::parse_invitation_code(admin().invite("alice")->code.reveal());
  const auto again = admin().invite("alice");
  EXPECT_FALSE(again->is_new_user);
  const auto second = identity::parse_invitation_code(again->code.reveal());
  EXPECT_FALSE(code(first->selector).is_real);
  EXPECT_TRUE(code(second->selector).is_real);
  now_ += 24h;
  EXPECT_FALSE(code(second->selector).is_real);
}

TEST_F(AdministrationTest, AnInvitedUserIsUnknownUntilHeHasEnrolled) {
  ASSERT_TRUE(admin().invite("alice"));
  EXPECT_EQ(login("alice"), LoginRead::What::unknown);
}

TEST_F(AdministrationTest, AnAddedUserHasARecordAndHisPasswordIsNowhere) {
  ASSERT_TRUE(admin().add("alice", password("correct horse battery")));
  EXPECT_EQ(login("alice"), LoginRead::What::record);
  EXPECT_EQ(login("bob"), LoginRead::What::unknown);
  EXPECT_EQ(login("Alice"), LoginRead::What::unknown);  // the server normalises nothing
  EXPECT_EQ(login("\xff\x00"), LoginRead::What::unknown);
  EXPECT_EQ(admin().add("alice", password("another")).error().code, StoreErrc::exists);
  for (const auto& file : std::filesystem::directory_iterator(directory_)) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(bytes.find("correct horse battery"), std::string::npos) << file.path();
  }
}

TEST_F(AdministrationTest, DisabledAndBack) {
  ASSERT_TRUE(admin().add("alice", password("pw")));
  const auto before = admin().show("alice", {})->row.generation;
  ASSERT_TRUE(admin().disable("alice"));
  EXPECT_EQ(login("alice"), LoginRead::What::disabled);
  EXPECT_EQ(admin().show("alice", {})->row.generation, before + 1);
  ASSERT_TRUE(admin().disable("alice"));  // once more changes nothing
  EXPECT_EQ(admin().show("alice", {})->row.generation, before + 1);
  EXPECT_EQ(admin().invite("alice").error().code, StoreErrc::conflict);
  ASSERT_TRUE(admin().enable("alice"));
  EXPECT_EQ(login("alice"), LoginRead::What::record);
  EXPECT_EQ(admin().show("alice", {})->row.generation, before + 1);
  const auto feed = store_->changes_after(0, 100).value();
  ASSERT_FALSE(feed.empty());
  EXPECT_EQ(feed.back().state, UserState::enabled);
}

TEST_F(AdministrationTest, ARemovedUserIsGoneAndMayComeAgain) {
  ASSERT_TRUE(admin().add("alice", password("pw")));
  ASSERT_TRUE(admin().remove("alice"));
  EXPECT_NE(login("alice"), LoginRead::What::record);
  EXPECT_EQ(admin().show("alice", {}).error().code, StoreErrc::not_found);
  EXPECT_EQ(admin().list({})->size(), 0U);
  ASSERT_TRUE(admin().add("alice", password("pw")));
  EXPECT_EQ(login("alice"), LoginRead::What::record);
}

TEST_F(AdministrationTest, LogoutMovesTheGenerationAlone) {
  ASSERT_TRUE(admin().add("alice", password("pw")));
  const auto before = admin().show("alice", {})->row.generation;
  ASSERT_TRUE(admin().logout("alice"));
  EXPECT_EQ(admin().show("alice", {})->row.generation, before + 1);
  EXPECT_EQ(login("alice"), LoginRead::What::record);
}

TEST_F(AdministrationTest, AnAccountUnderAttackIsShownAndCleared) {
  const GuessRules rules;
  ASSERT_TRUE(admin().add("alice", password("pw")));
  EXPECT_EQ(admin().show("alice", rules)->guesses_left, 10);
  const store::Charge charge{.key = accounts_->bucket(store::BucketKind::account, as_bytes("alice")),
                             .refill_interval = rules.account.refill_interval,
                             .of_an_account = true,
                             .digest = {}};
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(store_->charge({&charge, 1}, now_));
  EXPECT_EQ(admin().show("alice", rules)->guesses_left, 0);
  EXPECT_EQ(admin().show("alice", rules)->wait, 3600s);
  ASSERT_TRUE(admin().unthrottle("alice"));
  EXPECT_EQ(admin().show("alice", rules)->guesses_left, 10);
  EXPECT_FALSE(admin().show("alice", rules)->wait);
}

TEST_F(AdministrationTest, UnthrottlingMakesTheBucketsOfHisDevicesFullAndNobodyElses) {
  ASSERT_TRUE(admin().add("alice", password("pw")));
  ASSERT_TRUE(admin().add("bob", password("pw")));
  std::vector<store::BucketKey> devices;
  for (const auto* const of : {"alice", "alice", "bob"}) {
    devices.push_back(accounts_->bucket(store::BucketKind::device, as_bytes(std::to_string(devices.size()))));
    ASSERT_TRUE(store_->add_device(of, devices.back(), now_));
    const store::Charge charge{.key = devices.back(), .refill_interval = 1h};
    ASSERT_TRUE(store_->charge({&charge, 1}, now_));
  }
  ASSERT_TRUE(admin().unthrottle("alice"));
  const auto rows = store_->read_buckets(devices).value();
  EXPECT_FALSE(rows[0]);
  EXPECT_FALSE(rows[1]);
  EXPECT_TRUE(rows[2]);
}

TEST_F(AdministrationTest, WhoIsNotThereIsSaid) {
  EXPECT_EQ(admin().disable("nobody").error().code, StoreErrc::not_found);
  EXPECT_EQ(admin().reset("nobody").error().code, StoreErrc::not_found);
  EXPECT_EQ(admin().unthrottle("nobody").error().code, StoreErrc::not_found);
}

TEST_F(AdministrationTest, EveryChangeIsWrittenDown) {
  ASSERT_TRUE(admin().add("alice", password("pw")));
  ASSERT_TRUE(admin().disable("alice"));
  ASSERT_TRUE(admin().invite("bob"));
  std::vector<std::string> actions;
  for (const auto& row : store_->read_audit("", 100).value()) actions.push_back(row.note.action);
  for (const char* action : {"user.new", "user.add", "user.disable", "user.invite"})
    EXPECT_NE(std::ranges::find(actions, action), actions.end()) << action;
}

}  // namespace
}  // namespace pake::server
