#include "pake/net/endpoint.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "support.h"

namespace pake::net {
namespace {

/// A directory of the test's own.
class TemporaryDirectory {
 public:
  TemporaryDirectory() { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "pake-net-XXXXXX";
};

Awaitable<void> meet(Loop& loop, Address where) {
  auto listener = Listener::open(loop, where);
  if (!listener) co_return ADD_FAILURE() << to_string(where) << ": " << listener.error().explain();
  auto near = co_await connect(loop, listener->address(), patient());
  auto far = co_await listener->accept(loop, patient());
  if (!near || !far) co_return ADD_FAILURE() << to_string(where);
  EXPECT_TRUE(co_await (*near)->write_all(Buffer({7}), patient()));
  std::array<std::uint8_t, 2> byte{};
  EXPECT_EQ(co_await (*far)->read_some(byte, patient()), 1U);
  EXPECT_EQ(byte[0], 7);
  EXPECT_EQ((*near)->peer(), listener->address());
}

void expect_to_meet(const Address& where) {
  Loops loops(1);
  loops.run(meet(loops.main(), where));
}

bool has_ipv6() {
  const int probe = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const bool is_there = ::bind(probe, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
  ::close(probe);
  return is_there;
}

TEST(Endpoint, ConnectsOverIPv4) { expect_to_meet(TcpAddress{.port = 0}); }

TEST(Endpoint, ConnectsOverIPv6) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no ::1";
  expect_to_meet(TcpAddress{.host = "::1", .port = 0});
}

TEST(Endpoint, ConnectsToAName) {
  addrinfo* found = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &found) != 0) GTEST_SKIP() << "this machine knows no localhost";
  ::freeaddrinfo(found);
  expect_to_meet(TcpAddress{.host = "localhost", .port = 0});
}

TEST(Endpoint, ConnectsOverAUnixSocket) {
  const TemporaryDirectory directory;
  expect_to_meet(UnixAddress{.path = directory / "socket"});
  EXPECT_FALSE(std::filesystem::exists(directory / "socket")) << "the path goes with its listener";
}

Awaitable<void> say(Stream& stream) { EXPECT_TRUE(co_await stream.write_all(Buffer({1}), patient())); }

Awaitable<void> accept_elsewhere(Loops& loops) {
  auto listener = Listener::open(loops.main(), TcpAddress{.port = 0});
  auto near = co_await connect(loops.main(), listener->address(), patient());
  Loop& home = loops.next();
  auto far = co_await listener->accept(home, patient());
  if (!near || !far) co_return ADD_FAILURE();
  home.spawn(say(**far));
  std::array<std::uint8_t, 2> byte{};
  EXPECT_EQ(co_await (*near)->read_some(byte, patient()), 1U);
}

TEST(Endpoint, AConnectionMayLiveOnAnotherLoop) {
  Loops loops(2);
  EXPECT_EQ(&loops.next(), &loops.main());
  loops.run(accept_elsewhere(loops));
}

Awaitable<void> connect_in_vain(Loop& loop, Address where, Error::Kind expected) {
  const auto stream = co_await connect(loop, where, patient());
  EXPECT_FALSE(stream) << to_string(where);
  if (!stream) EXPECT_EQ(stream.error().kind, expected) << to_string(where) << ": " << stream.error().explain();
}

TEST(Endpoint, SaysWhyItCannotConnect) {
  const TemporaryDirectory directory;
  Loops finding(1);
  std::uint16_t closed_port = 0;  // a port that was free a moment ago
  {
    const auto listener = Listener::open(finding.main(), TcpAddress{.port = 0});
    closed_port = std::get<TcpAddress>(listener->address()).port;
  }
  const std::pair<Address, Error::Kind> cases[] = {
      {TcpAddress{.port = closed_port}, Error::Kind::refused},
      {UnixAddress{.path = directory / "nothing"}, Error::Kind::refused},
      {TcpAddress{.host = "no-such-host.invalid"}, Error::Kind::unknown_host},
  };
  for (const auto& [where, expected] : cases) {
    Loops loops(1);
    loops.run(connect_in_vain(loops.main(), where, expected));
  }
}

TEST(Endpoint, SaysWhyItCannotListen) {
  const TemporaryDirectory directory;
  Loops loops(1);
  const auto first = Listener::open(loops.main(), TcpAddress{.port = 0});
  ASSERT_TRUE(first);
  const auto second = Listener::open(loops.main(), first->address());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Error::Kind::in_use);
  const auto elsewhere = Listener::open(loops.main(), TcpAddress{.host = "192.0.2.1", .port = 0});
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().kind, Error::Kind::not_ours);

  std::ofstream(directory / "file") << "not a socket";
  const auto file = Listener::open(loops.main(), UnixAddress{.path = directory / "file"});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, Error::Kind::occupied);
  EXPECT_EQ(file.error().explain(), "a file that is no socket is there already");
  EXPECT_EQ(std::filesystem::file_size(directory / "file"), 12U) << "what is not a socket stays";
}

TEST(Endpoint, AdoptsASocketThatIsListenedOnAndNothingElse) {
  const TemporaryDirectory directory;
  Loops loops(1);
  const int idle = ::socket(AF_INET, SOCK_STREAM, 0);
  const int datagrams = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  const int file = ::open("/dev/null", O_RDONLY);
  for (const int fd : {idle, datagrams, file, -1}) {
    const auto refused = Listener::adopt(loops.main(), fd);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Error::Kind::other);
    if (fd >= 0) EXPECT_EQ(::close(fd), 0) << "it is the caller's still";
  }

  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{.sun_family = AF_UNIX, .sun_path = {}};
  const auto path = directory / "socket";
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(socket, 1), 0);
  {
    const auto adopted = Listener::adopt(loops.main(), socket);
    ASSERT_TRUE(adopted);
    EXPECT_EQ(to_string(adopted->address()), "unix:" + path);
    EXPECT_NE(::fcntl(socket, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_TRUE(std::filesystem::exists(path)) << "who made it removes it";
}

TEST(Endpoint, AMissingDirectoryIsSaidInTheSystemsWords) {
  const TemporaryDirectory directory;
  Loops loops(1);
  const auto listener = Listener::open(loops.main(), UnixAddress{.path = directory / "no/socket"});
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().explain(), "No such file or directory");
}

// Each of many threads that listen on one path at the same time, over and over: never two, and whoever has it is found.
TEST(Endpoint, OneOfManyThatListenOnOnePathHasIt) {
  const TemporaryDirectory directory;
  const UnixAddress address{.path = directory / "socket"};
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> listening = 0;
    {
      std::barrier together(8);
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
          Loops loops(1);
          together.arrive_and_wait();
          const auto listener = Listener::open(loops.main(), address);
          if (listener) ++listening;
          if (!listener) EXPECT_EQ(listener.error().kind, Error::Kind::in_use) << listener.error().explain();
          together.arrive_and_wait();
          EXPECT_TRUE(std::filesystem::exists(address.path));
          together.arrive_and_wait();
        });
    }
    EXPECT_EQ(listening, 1) << "round " << round;
    EXPECT_FALSE(std::filesystem::exists(address.path));
  }
}

Awaitable<void> be_found(Loop& loop, std::string listens_on, std::string dials) {
  auto listener = Listener::open(loop, TcpAddress{.host = listens_on, .port = 0});
  if (!listener) co_return ADD_FAILURE() << listener.error().explain();
  const auto port = std::get<TcpAddress>(listener->address()).port;
  auto near = co_await connect(loop, TcpAddress{.host = dials, .port = port}, patient());
  if (!near) co_return ADD_FAILURE() << listens_on << ", " << dials << ": " << near.error().explain();
  auto far = co_await listener->accept(loop, patient());
  EXPECT_EQ(std::get<TcpAddress>((*far)->peer()).host, dials);
}

TEST(Endpoint, NoHostAndTheUnspecifiedOneStandForBothFamilies) {
  for (const auto* host : {"", "::"}) {
    for (const auto* dials : {"127.0.0.1", "::1"}) {
      if (!has_ipv6() && (*host != 0 || *dials == ':')) continue;
      Loops loops(1);
      loops.run(be_found(loops.main(), host, dials));
    }
  }
}

TEST(Endpoint, ReplacesTheSocketOfADeadListenerOnly) {
  const TemporaryDirectory directory;
  const UnixAddress address{.path = directory / "socket"};
  Loops loops(1);
  auto living = Listener::open(loops.main(), address);
  ASSERT_TRUE(living);
  const auto second = Listener::open(loops.main(), address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Error::Kind::in_use);

  // What a killed listener leaves: the path without anybody behind it.
  std::filesystem::rename(address.path, directory / "aside");
  living = Listener::open(loops.main(), UnixAddress{.path = directory / "other"});
  std::filesystem::rename(directory / "aside", address.path);
  const auto third = Listener::open(loops.main(), address);
  EXPECT_TRUE(third);
}

TEST(Endpoint, LeavesAPathThatIsSomebodyElsesByNow) {
  const TemporaryDirectory directory;
  const UnixAddress address{.path = directory / "socket"};
  Loops loops(1);
  {
    const auto listener = Listener::open(loops.main(), address);
    ASSERT_TRUE(listener);
    std::filesystem::remove(address.path);
    std::ofstream(address.path) << "somebody else's";
  }
  EXPECT_TRUE(std::filesystem::exists(address.path));
}

Awaitable<void> accept_without_descriptors(Loop& loop) {
  auto listener = Listener::open(loop, TcpAddress{.port = 0});
  const auto near = co_await connect(loop, listener->address(), patient());
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const auto refused = co_await listener->accept(loop, patient());
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_FALSE(refused);
  if (!refused) EXPECT_EQ(refused.error().kind, Error::Kind::exhausted);
  EXPECT_TRUE(co_await listener->accept(loop, patient())) << "the connection is still there";
}

TEST(Endpoint, RunningOutOfDescriptorsIsSurvived) {
  Loops loops(1);
  loops.run(accept_without_descriptors(loops.main()));
}

Awaitable<void> accept_nobody(Loop& loop) {
  auto listener = Listener::open(loop, TcpAddress{.port = 0});
  const auto stream = co_await listener->accept(loop, soon());
  EXPECT_FALSE(stream);
  if (!stream) EXPECT_EQ(stream.error().kind, Error::Kind::timed_out);
}

Awaitable<void> interrupt(Loop& loop, Listener& listener) {
  EXPECT_TRUE(co_await loop.sleep_until(soon()));
  listener.interrupt();
}

Awaitable<void> accept_until_interrupted(Loop& loop) {
  auto listener = Listener::open(loop, TcpAddress{.port = 0});
  loop.spawn(interrupt(loop, *listener));
  EXPECT_EQ((co_await listener->accept(loop, patient())).error(), Error::Kind::interrupted);
  const auto near = co_await connect(loop, listener->address(), patient());
  listener->interrupt();
  EXPECT_EQ((co_await listener->accept(loop, patient())).error(), Error::Kind::interrupted)
      << "although somebody is there";
  EXPECT_TRUE(co_await listener->accept(loop, patient()));
}

TEST(Endpoint, AcceptCanBeInterrupted) {
  Loops loops(1);
  loops.run(accept_until_interrupted(loops.main()));
}

TEST(Endpoint, AcceptHasADeadline) {
  Loops loops(1);
  loops.run(accept_nobody(loops.main()));
}

}  // namespace
}  // namespace pake::net
