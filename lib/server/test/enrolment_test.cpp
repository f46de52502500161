// A server and its client in one process, over loopback: from an invitation to a login, and on to another password.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pake/channel/account.h"
#include "pake/channel/key_cache.h"
#include "pake/client/record.h"
#include "pake/crypto/rng.h"
#include "pake/identity/invitation.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pake/server/administration.h"
#include "pake/server/server.h"
#include "pake/store/bucket.h"
#include "pake/store/data.h"
#include "pake/store/key_file.h"
#include "pake/store/migration.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using channel::RecordPurpose;
using channel::RecordRefusal;
using client::RecordFailure;
using crypto::KsfProfile;

constexpr store::CredentialParameters kFirst{
    .epoch = 1, .suite = 1, .ksf_profile = static_cast<std::uint8_t>(KsfProfile::small)};

store::Time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

class EnrolmentTest : public testing::Test {
 protected:
  EnrolmentTest() {
    std::string directory = (std::filesystem::temp_directory_path() / "pake-XXXXXX").string();
    directory_ = ::mkdtemp(directory.data());
    auto data = store::open_or_create_data(
        {.directory = directory_},
        {.make_keys =
             [&](std::uint32_t epoch) {
               std::vector<store::EpochKeys> keys;
               for (const auto suite : {channel::Suite::opaque_ristretto255, channel::Suite::opaque_p256})
                 keys.push_back(make_epoch_keys(suite, KsfProfile::small, epoch, now(), rng_));
               return store::StoreResult<std::vector<store::EpochKeys>>(std::move(keys));
             },
         .parameters = kFirst},
        now() - 1h, rng_);
    EXPECT_TRUE(data) << data.error().message;
    store_ = std::move(data->store);
    keyring_ = Keyring::make(std::move(data->keys)).value();
    workers_ = *net::Workers::start(2, 16);
  }
  ~EnrolmentTest() override { std::filesystem::remove_all(directory_); }

  using Task = std::function<net::Awaitable<void>()>;

  /// Runs `task` beside a server, and drains it.
  void with_server(Task task) {
    net::Loops loops(1);
    loop_ = &loops.main();
    auto server = Server::make(loops, Config{.services = {{"echo", {.what = EchoService{}, .users = {}}}}},
                               std::make_shared<Accounts>(store_, keyring_), Log::to_function({}, [](auto) {}));
    ASSERT_TRUE(server);
    ASSERT_TRUE((*server)->prepare());
    address_ = (*server)->listen(net::TcpAddress{.host = "127.0.0.1", .port = 0}).value();
    loops.main().spawn(run_and_drain(std::move(task), **server));
    loops.run((*server)->run());
    server->reset();
  }

  Administration admin() { return {*store_, keyring_, rng_, now}; }
  identity::InvitationCode invite(std::string_view name) {
    return *identity::parse_invitation_code(admin().invite(name)->code.reveal());
  }

  net::Awaitable<std::optional<net::ClientChannel>> connect(Result<channel::ClientHandshake> handshake) {
    auto stream = co_await net::connect(*loop_, address_, net::after(30s));
    if (!stream || !handshake) co_return std::nullopt;
    auto made = co_await net::connect_channel(*loop_, *stream, std::move(*handshake), cache_);
    if (!made) co_return std::nullopt;
    loop_->spawn(run(made->link));
    co_return std::move(*made);
  }
  net::Awaitable<std::optional<net::ClientChannel>> by_code(const identity::InvitationCode& code) {
    return connect(channel::ClientHandshake::by_code(
        {}, {.selector = as_bytes(code.selector), .code = code.words.reveal()}, rng_));
  }
  net::Awaitable<std::optional<net::ClientChannel>> by_password(std::string_view name, std::string_view password) {
    return connect(
        channel::ClientHandshake::by_password({}, {.name = as_bytes(name), .password = as_bytes(password)}, rng_));
  }
  net::Awaitable<std::expected<client::RecordMade, RecordFailure>> make_record(net::ChannelLink& link,
                                                                               RecordPurpose purpose, const char* name,
                                                                               const SecretBuffer& password,
                                                                               KsfProfile floor = KsfProfile::small) {
    return client::make_record(*loop_, *workers_, link,
                               {.purpose = purpose, .name = name, .password = password, .ksf_floor = floor}, rng_);
  }
  /// Makes another epoch's keys the current ones, as of some time ago.
  void activate_second_epoch() {
    const auto path = directory_ / "pake.key";
    auto staged = store::stage_epoch(path, [&](std::uint32_t epoch) {
      std::vector<store::EpochKeys> keys;
      keys.push_back(make_epoch_keys(channel::Suite::opaque_ristretto255, KsfProfile::small, epoch, now(), rng_));
      return store::StoreResult<std::vector<store::EpochKeys>>(std::move(keys));
    });
    ASSERT_TRUE(staged);
    auto second = kFirst;
    second.epoch = 2;
    ASSERT_TRUE(store::activate(*store_, *staged, second, std::nullopt,
                                {.at = now() - 1min, .actor = "operator", .action = "x", .name = {}, .detail = {}}));
    keyring_ = Keyring::make(std::move(*staged)).value();
  }
  std::int64_t tries_left(std::string_view selector) {
    const auto bucket = keyring_->file().bucket_key(store::BucketKind::code, as_bytes(selector));
    return store::guesses_left(GuessRules().code, store_->read_buckets({&bucket, 1}).value().front(), now());
  }
  net::Awaitable<std::expected<client::RecordMade, RecordFailure>> move_record(net::ChannelLink& link,
                                                                               std::unique_ptr<net::Stream> stream,
                                                                               const SecretBuffer& password) {
    return client::make_record_on(
        *loop_, *workers_, link, std::move(stream), channel::Suite::opaque_ristretto255,
        {.purpose = RecordPurpose::migrate, .name = "alice", .password = password, .ksf_floor = KsfProfile::small},
        rng_);
  }
  static SecretBuffer secret(std::string_view text) { return SecretBuffer::copy_of(as_bytes(text)); }

  crypto::SystemRng rng_;
  net::Loop* loop_ = nullptr;
  net::Address address_;
  std::shared_ptr<store::CredentialStore> store_;
  std::shared_ptr<const Keyring> keyring_;

 private:
  static net::Awaitable<void> run_and_drain(Task task, Server& server) {
    co_await task();
    server.drain();
  }
  static net::Awaitable<void> run(std::shared_ptr<net::ChannelLink> link) { static_cast<void>(co_await link->run()); }

  std::filesystem::path directory_;
  std::unique_ptr<net::Workers> workers_;
  channel::KeyCache cache_;
};

TEST_F(EnrolmentTest, FromACodeToALogin) {
  const auto code = invite("alice");
  const auto password = secret("correct horse");
  with_server([&]() -> net::Awaitable<void> {
    const auto channel = co_await by_code(code);
    EXPECT_TRUE(channel);
    if (!channel) co_return;
    const auto made = co_await make_record(*channel->link, RecordPurpose::enrol, "alice", password);
    EXPECT_TRUE(made);
    channel->link->close(channel::CloseCode::done);
    const auto login = co_await by_password("alice", "correct horse");
    EXPECT_TRUE(login);
    if (login && made) EXPECT_EQ(login->outcome.server_public_key, made->server_public_key);
    if (login) login->link->close(channel::CloseCode::done);
    EXPECT_FALSE(co_await by_password("alice", "wrong horse"));
    EXPECT_FALSE(co_await by_code(code));  // it is used up
  });
  EXPECT_FALSE(store_->find_invitation_of("alice").value());
  EXPECT_TRUE(admin().show("alice", {})->has_credential);
}

TEST_F(EnrolmentTest, AWrongCodeOpensNothingAndThreeTriesEndIt) {
  auto code = invite("alice");
  auto wrong = *identity::parse_invitation_code(code.text().reveal());
  wrong.words = secret("violin-harvest-violin-harvest");
  with_server([&]() -> net::Awaitable<void> {
    // A try that comes before the last one is committed is turned away, and costs nothing.
    while (tries_left(code.selector) > 0) EXPECT_FALSE(co_await by_code(wrong));
    EXPECT_FALSE(co_await by_code(code));
  });
  EXPECT_FALSE(admin().show("alice", {})->has_credential);
}

TEST_F(EnrolmentTest, ACodesChannelIsForItsUserAndOneAnswerOnly) {
  const auto code = invite("alice");
  const auto password = secret("correct horse");
  with_server([&]() -> net::Awaitable<void> {
    auto channel = co_await by_code(code);
    EXPECT_TRUE(channel);
    if (!channel) co_return;
    const auto refused = [](const auto& made, RecordRefusal code) {
      return !made && made.error().refusal && made.error().refusal->code == code;
    };
    auto made = co_await make_record(*channel->link, RecordPurpose::enrol, "bob", password);
    EXPECT_TRUE(refused(made, RecordRefusal::not_allowed));
    made = co_await make_record(*channel->link, RecordPurpose::change_password, "alice", password);
    EXPECT_TRUE(refused(made, RecordRefusal::not_allowed));
    // An answer was given; the client finds the stretching too weak and declines.
    made = co_await make_record(*channel->link, RecordPurpose::enrol, "alice", password, KsfProfile::rfc9106_2);
    EXPECT_TRUE(!made && made.error().what == RecordFailure::What::weak_ksf);
    made = co_await make_record(*channel->link, RecordPurpose::enrol, "alice", password);
    EXPECT_TRUE(refused(made, RecordRefusal::not_allowed));
    channel->link->close(channel::CloseCode::done);
  });
  EXPECT_FALSE(admin().show("alice", {})->has_credential);
}

TEST_F(EnrolmentTest, APasswordIsChangedInAChannelByPassword) {
  ASSERT_TRUE(admin().add("alice", secret("first")));
  const auto before = admin().show("alice", {})->row.generation;
  const auto second = secret("second");
  with_server([&]() -> net::Awaitable<void> {
    const auto channel = co_await by_password("alice", "first");
    EXPECT_TRUE(channel);
    if (!channel) co_return;
    const auto made = co_await make_record(*channel->link, RecordPurpose::change_password, "alice", second);
    EXPECT_TRUE(made);
    channel->link->close(channel::CloseCode::done);
    EXPECT_FALSE(co_await by_password("alice", "first"));
    const auto again = co_await by_password("alice", "second");
    EXPECT_TRUE(again);
    if (again) again->link->close(channel::CloseCode::done);
  });
  EXPECT_EQ(admin().show("alice", {})->row.generation, before + 1);
}

// A server in a migration opens a stream of its own, on which the client makes a record under the newer keys.
TEST_F(EnrolmentTest, ARecordMovesAtALoginAndTheTicketsStayGood) {
  const auto password = secret("correct horse");
  ASSERT_TRUE(admin().add("alice", password));
  const auto before = admin().show("alice", {})->row;
  activate_second_epoch();
  EXPECT_EQ(store::key_status(*store_, keyring_->file())->epochs.at(0).users, 1U);
  with_server([&]() -> net::Awaitable<void> {
    const auto channel = co_await by_password("alice", "correct horse");
    EXPECT_TRUE(channel);
    if (!channel) co_return;
    auto asked = co_await channel->link->accept(net::after(30s));
    EXPECT_TRUE(asked);
    if (!asked) co_return;
    EXPECT_EQ(asked->service, channel::kMigrationService);
    const auto offer = channel::MigrationOffer::decode(asked->argument);
    EXPECT_TRUE(offer && offer->suite == channel::Suite::opaque_ristretto255 && offer->ksf == KsfProfile::small);
    const auto made = co_await move_record(*channel->link, std::move(asked->stream), password);
    EXPECT_TRUE(made);
    channel->link->close(channel::CloseCode::done);
    const auto again = co_await by_password("alice", "correct horse");
    EXPECT_TRUE(again);
    if (!again) co_return;
    if (made) EXPECT_EQ(again->outcome.server_public_key, made->server_public_key);
    again->link->close(channel::CloseCode::done);
    EXPECT_FALSE(co_await again->link->accept(net::after(30s)));  // it is under the current keys: nothing is asked
  });
  const auto after = admin().show("alice", {})->row;
  EXPECT_EQ(after.parameters.epoch, 2U);
  EXPECT_EQ(after.generation, before.generation);
  const auto status = store::key_status(*store_, keyring_->file());
  EXPECT_EQ(status->epochs.front().users, 0U);
  EXPECT_TRUE(status->epochs.back().is_current);
  EXPECT_EQ(status->epochs.back().users, 1U);
}

// Who does not take part is served as ever, and a channel does not wait for the answer.
TEST_F(EnrolmentTest, AClientThatDoesNotMoveItsRecordStaysUnderTheOldKeys) {
  ASSERT_TRUE(admin().add("alice", secret("correct horse")));
  activate_second_epoch();
  with_server([&]() -> net::Awaitable<void> {
    for (const bool refuses : {true, false}) {
      const auto channel = co_await by_password("alice", "correct horse");
      EXPECT_TRUE(channel);
      if (!channel) co_return;
      auto asked = co_await channel->link->accept(net::after(30s));
      EXPECT_TRUE(asked);
      if (asked && refuses) asked->stream->reset(channel::ResetCode::cancelled);
      channel->link->close(channel::CloseCode::done);
      EXPECT_FALSE(co_await channel->link->accept(net::after(30s)));
    }
  });
  EXPECT_EQ(admin().show("alice", {})->row.parameters.epoch, 1U);
}

}  // namespace
}  // namespace pake::server
