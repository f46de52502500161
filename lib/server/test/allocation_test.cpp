// What an idle session takes from the server's heap. Its clients are a process of their own.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pake/server/administration.h"
#include "pake/server/server.h"
#include "pake/store/data.h"
#include "pake/testing/heap.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kFirst = 150;  // sessions that fill what all share: the expanded keys above all
constexpr std::size_t kSessions = 100;
constexpr std::size_t kLimit = 4096;
constexpr std::string_view kPassword = "correct horse";
constexpr auto kComesToRest = 1500ms;  // buffers of what was just busy are let go within a second

store::Time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

/// The clients: a login by password, and sessions by its ticket, each of which says one line.
class Clients {
 public:
  Clients(net::Loop& loop, int parent) : loop_(loop), parent_(parent) {}

  net::Awaitable<void> run() {
    std::uint16_t port = 0;
    if (::read(parent_, &port, sizeof port) != sizeof port) co_return;
    address_.port = port;
    auto first = co_await open(
        channel::ClientHandshake::by_password({}, {.name = as_bytes("alice"), .password = as_bytes(kPassword)}, rng_));
    if (!first) co_return;
    std::optional<net::LentTicket> ticket;
    while (!(ticket = first->take_ticket())) co_await loop_.yield();
    for (std::size_t count = 1; count < kFirst + kSessions; ++count) {
      if (count == kFirst && !co_await wait_for_parent()) co_return;
      if (!co_await open(channel::ClientHandshake::by_ticket({}, ticket->stored, rng_))) co_return;
    }
    co_await wait_for_parent();
  }

 private:
  net::Awaitable<std::shared_ptr<net::ChannelLink>> open(Result<channel::ClientHandshake> handshake) {
    auto stream = co_await net::connect(loop_, address_, net::after(30s));
    if (!stream || !handshake) co_return nullptr;
    auto channel = co_await net::connect_channel(loop_, *stream, std::move(*handshake), cache_);
    if (!channel) co_return nullptr;
    auto& link = links_.emplace_back(std::move(channel->link));
    auto echo = link->open("echo");
    loop_.spawn(carry(link));
    std::array<std::uint8_t, 16> answer{};
    if (!echo || !co_await (*echo)->write_all(as_bytes("x\n"), net::after(30s))) co_return nullptr;
    if (!co_await (*echo)->read_some(answer, net::after(30s))) co_return nullptr;
    co_return link;
  }
  static net::Awaitable<void> carry(std::shared_ptr<net::ChannelLink> link) { static_cast<void>(co_await link->run()); }
  // Keep-alives are answered meanwhile.
  net::Awaitable<bool> wait_for_parent() {
    std::uint8_t word = 0;
    for (;;) {
      const auto count = ::recv(parent_, &word, 1, MSG_DONTWAIT);
      if (count >= 0) co_return count == 1;
      if (!co_await loop_.sleep_until(net::after(10ms))) co_return false;
    }
  }

  net::Loop& loop_;
  int parent_;
  net::TcpAddress address_{.host = "127.0.0.1", .port = 0};
  crypto::SystemRng rng_;
  channel::KeyCache cache_;
  std::vector<std::shared_ptr<net::ChannelLink>> links_;
};

[[noreturn]] void be_clients(int parent) {
  {
    net::Loops loops(1);
    Clients clients(loops.main(), parent);
    loops.main().spawn([](net::Loops& all, Clients& of) -> net::Awaitable<void> {
      co_await of.run();
      all.cancel();
    }(loops, clients));
    loops.run([]() -> net::Awaitable<void> { co_return; }());
  }
  ::_exit(0);
}

net::Awaitable<void> measure(net::Loop& loop, Server& server, int clients, std::size_t& of_a_session) {
  std::size_t before = 0;
  for (const auto count : {kFirst, kFirst + kSessions}) {
    const auto deadline = net::after(60s);
    while (server.sessions().size() < count && net::Clock::now() < deadline)
      if (!co_await loop.sleep_until(net::after(10ms))) break;
    EXPECT_EQ(server.sessions().size(), count);
    EXPECT_TRUE(co_await loop.sleep_until(net::after(kComesToRest)));
    if (count == kFirst)
      before = testing::heap_in_use();
    else
      of_a_session = (testing::heap_in_use() - before) / kSessions;
    EXPECT_EQ(::write(clients, "x", 1), 1);
  }
  server.drain();
}

// With all that belongs to it: channel, socket, frames, what is pending, its places in the server's lists, and what the
// allocator adds.
TEST(Allocation, AnIdleSessionTakesLessThanFourKibibytes) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const auto child = ::fork();  // before this process has threads
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(ends[1]);
    be_clients(ends[0]);
  }
  ::close(ends[0]);
  std::string directory = (std::filesystem::temp_directory_path() / "pake-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  crypto::SystemRng rng;
  constexpr auto kKsf = crypto::KsfProfile::small;
  auto data = store::open_or_create_data(
      {.directory = directory},
      {.make_keys =
           [&](std::uint32_t epoch) {
             std::vector<store::EpochKeys> keys;
             keys.push_back(make_epoch_keys(channel::Suite::opaque_ristretto255, kKsf, epoch, now(), rng));
             return store::StoreResult<std::vector<store::EpochKeys>>(std::move(keys));
           },
       .parameters = {.epoch = 1, .suite = 1, .ksf_profile = static_cast<std::uint8_t>(kKsf)}},
      now() - 1h, rng);
  ASSERT_TRUE(data) << data.error().message;
  const std::shared_ptr<store::CredentialStore> store = std::move(data->store);
  const auto keyring = Keyring::make(std::move(data->keys)).value();
  ASSERT_TRUE(Administration(*store, keyring, rng, now).add("alice", SecretBuffer::copy_of(as_bytes(kPassword))));

  std::size_t of_a_session = 0;
  {
    net::Loops loops(1);
    auto server = Server::make(loops, Config{.services = {{"echo", {.what = EchoService{}, .users = {}}}}},
                               std::make_shared<Accounts>(store, keyring), Log::to_function({}, [](auto) {}));
    ASSERT_TRUE(server);
    ASSERT_TRUE((*server)->prepare());
    const auto address = (*server)->listen(net::TcpAddress{.host = "127.0.0.1", .port = 0}).value();
    const auto port = std::get<net::TcpAddress>(address).port;
    ASSERT_EQ(::write(ends[1], &port, sizeof port), static_cast<ssize_t>(sizeof port));
    loops.main().spawn(measure(loops.main(), **server, ends[1], of_a_session));
    loops.run((*server)->run());
    server->reset();
  }
  ::close(ends[1]);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  std::filesystem::remove_all(directory);
  std::cout << "an idle session takes " << of_a_session << " bytes\n";
  EXPECT_GT(of_a_session, 1024U);  // else nothing was measured
  EXPECT_LE(of_a_session, kLimit);
}

}  // namespace
}  // namespace pake::server
