#include "network/own_user.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "process/unique_fd.h"

namespace pake::cli {
namespace {

net::Address on_loopback(int family, std::uint16_t port) {
  return net::TcpAddress{.host = family == AF_INET ? "127.0.0.1" : "::1", .port = port};
}

std::uint16_t port_of(int fd, int (*which)(int, sockaddr*, socklen_t*)) {
  sockaddr_in6 address{};
  socklen_t size = sizeof address;
  if (which(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.sin6_port);  // where sockaddr_in has its own
}

/// A listener on loopback and connections to it.
struct Connections {
  explicit Connections(int of) : family(of), listener(::socket(of, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 address{};
    address.sin6_family = static_cast<sa_family_t>(family);
    socklen_t size = sizeof address;
    if (family == AF_INET) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      is_there = ::bind(listener.get(), reinterpret_cast<sockaddr*>(&v4), sizeof v4) == 0;
    } else {
      address.sin6_addr = in6addr_loopback;
      is_there = ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0;
    }
    is_there = is_there && ::listen(listener.get(), 64) == 0;
    port = port_of(listener.get(), ::getsockname);
  }
  const UniqueFd& add() {
    auto& one = connections.emplace_back(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    EXPECT_EQ(::connect(one.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    return one;
  }

  int family;
  UniqueFd listener;
  bool is_there = false;
  std::uint16_t port = 0;
  std::vector<UniqueFd> connections;
};

TEST(OwnUser, HoldsItsConnectionsOfBothFamilies) {
  for (const int family : {AF_INET, AF_INET6}) {
    Connections connections(family);
    if (family == AF_INET6 && !connections.is_there) GTEST_SKIP() << "SKIPPED: this machine has no IPv6";
    ASSERT_TRUE(connections.is_there);
    const auto from = port_of(connections.add().get(), ::getsockname);
    const auto local = on_loopback(family, connections.port);
    EXPECT_EQ(user_of_connection(on_loopback(family, from), local), ::geteuid());
    // Either end is somebody's, once it is accepted, and the order says whose.
    EXPECT_EQ(user_of_connection(local, on_loopback(family, from)), std::nullopt);
    const UniqueFd accepted(::accept4(connections.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(user_of_connection(local, on_loopback(family, from)), ::geteuid());
  }
}

TEST(OwnUser, IsNobodyWithoutAConnection) {
  Connections connections(AF_INET);
  ASSERT_TRUE(connections.is_there);
  const auto from = port_of(connections.add().get(), ::getsockname);
  const auto local = on_loopback(AF_INET, connections.port);
  // The listener has the same port, and is not a connection from there.
  EXPECT_EQ(user_of_connection(local, local), std::nullopt);
  EXPECT_EQ(user_of_connection(on_loopback(AF_INET6, from), local), std::nullopt);
  EXPECT_EQ(user_of_connection(net::UnixAddress{.path = "/run/x"}, local), std::nullopt);
  EXPECT_EQ(user_of_connection(net::TcpAddress{.host = "box", .port = from}, local), std::nullopt);
}

// The kernel shows 0 for its user, and whoever runs as root would take it for his own.
TEST(OwnUser, IsNobodyOnceTheOtherEndIsClosed) {
  Connections connections(AF_INET);
  ASSERT_TRUE(connections.is_there);
  const auto from = on_loopback(AF_INET, port_of(connections.add().get(), ::getsockname));
  EXPECT_EQ(::send(connections.connections.back().get(), "x", 1, 0), 1);
  connections.connections.clear();
  EXPECT_EQ(user_of_connection(from, on_loopback(AF_INET, connections.port)), std::nullopt);
}

// Bytes that this process has read, from files of /proc too.
std::uint64_t bytes_read() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::uint64_t bytes = 0;
  return file >> name >> bytes && name == "rchar:" ? bytes : 0;
}

// Else whoever connects and goes makes this process read the connections of the whole machine, each time.
TEST(OwnUser, IsNotSoughtInTheTableOnceTheKernelAnswers) {
  if (bytes_read() == 0) GTEST_SKIP() << "SKIPPED: this kernel does not count what is read";
  Connections connections(AF_INET);
  ASSERT_TRUE(connections.is_there);
  const auto local = on_loopback(AF_INET, connections.port);
  const auto from = on_loopback(AF_INET, port_of(connections.add().get(), ::getsockname));
  ASSERT_EQ(user_of_connection(from, local), ::geteuid());
  const auto looking = bytes_read(), before = bytes_read();
  EXPECT_EQ(user_of_connection(on_loopback(AF_INET, connections.port), local), std::nullopt);
  constexpr std::uint64_t kHeading = 100;  // of the table, which has more
  EXPECT_LT(bytes_read() - before, before - looking + kHeading);
}

}  // namespace
}  // namespace pake::cli
