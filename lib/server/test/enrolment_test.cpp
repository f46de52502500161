// A server and its client in one process, over loopback: from an invitation to a login, and on to another password.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using channel::RecordPurpose;
using channel::RecordRefusal;
using client::RecordFailure;
using crypto::KsfProfile;

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
         .parameters = {.epoch = 1, .suite = 1, .ksf_profile = static_cast<std::uint8_t>(KsfProfile::small)}},
        now(), rng_);
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
  std::int64_t tries_left(std::string_view selector) {
    const auto bucket = keyring_->file().bucket_key(store::BucketKind::code, as_bytes(selector));
    return store::guesses_left(GuessRules().code, store_->read_buckets({&bucket, 1}).value().front(), now());
  }
  static SecretBuffer secret(std::string_view text) { return SecretBuffer::copy_of(as_bytes(text)); }

  crypto::SystemRng rng_;
  net::Loop* loop_ = nullptr;
  net::Address address_;
  std::shared_ptr<store::CredentialStore> store_;

 private:
  static net::Awaitable<void> run_and_drain(Task task, Server& server) {
    co_await task();
    server.drain();
  }
  static net::Awaitable<void> run(std::shared_ptr<net::ChannelLink> link) { static_cast<void>(co_await link->run()); }

  std::filesystem::path directory_;
  std::shared_ptr<const Keyring> keyring_;
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

}  // namespace
}  // namespace pake::server
