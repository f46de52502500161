#include "pake/net/address.h"

#include <gtest/gtest.h>

namespace pake::net {
namespace {

TcpAddress tcp(std::string_view text) {
  const auto address = parse_address(text);
  EXPECT_TRUE(address) << text << ": " << address.error();
  return address ? std::get<TcpAddress>(*address) : TcpAddress{};
}

TEST(Address, ReadsHostAndPort) {
  EXPECT_EQ(tcp("127.0.0.1:9000"), (TcpAddress{.host = "127.0.0.1", .port = 9000}));
  EXPECT_EQ(tcp("example.org:1"), (TcpAddress{.host = "example.org", .port = 1}));
  EXPECT_EQ(tcp("localhost:0"), (TcpAddress{.host = "localhost", .port = 0}));
  EXPECT_EQ(tcp("a:65535"), (TcpAddress{.host = "a", .port = 65535}));
  EXPECT_EQ(tcp("[::1]:8089"), (TcpAddress{.host = "::1", .port = 8089}));
  EXPECT_EQ(tcp("[fe80::1%eth0]:1"), (TcpAddress{.host = "fe80::1%eth0", .port = 1}));
}

TEST(Address, ThePortMayBeLeftOut) {
  EXPECT_EQ(tcp("example.org").port, kDefaultPort);
  EXPECT_EQ(tcp("[::1]").port, kDefaultPort);
  EXPECT_EQ(Address(), Address(TcpAddress{.host = "127.0.0.1", .port = 8088}));
}

TEST(Address, WithoutAHostItStandsForThisMachine) {
  EXPECT_EQ(tcp(":8089"), (TcpAddress{.host = "", .port = 8089}));
  EXPECT_FALSE(is_destination(tcp(":8089")));
  EXPECT_FALSE(is_destination(tcp("host:0")));
  EXPECT_TRUE(is_destination(tcp("host:1")));
  EXPECT_TRUE(is_destination(UnixAddress{.path = "a"}));
}

TEST(Address, AURLIsTold) {
  EXPECT_EQ(parse_address("tcp://example.org:8088").error(), "an address has no 'tcp://': example.org:8088");
  EXPECT_EQ(parse_address("https://[::1]/").error(), "an address has no 'https://': [::1]");
}

TEST(Address, ReadsUnixPaths) {
  EXPECT_EQ(parse_address("unix:/run/pake"), Address(UnixAddress{.path = "/run/pake"}));
  EXPECT_EQ(parse_address("unix:a:b c"), Address(UnixAddress{.path = "a:b c"}));
  EXPECT_TRUE(parse_address("unix:" + std::string(kMaxUnixPath, 'x')));
  EXPECT_FALSE(parse_address("unix:" + std::string(kMaxUnixPath + 1, 'x')));
}

TEST(Address, RefusesTheRestAndSaysWhy) {
  for (const auto* text : {"",
                           ":",
                           "host:",
                           "host:x",
                           "host:-1",
                           "host:+1",
                           "host: 1",
                           "host:65536",
                           "host:99999999999",
                           "::1",
                           "::1:8088",
                           "[::1",
                           "[::1]8088",
                           "[::1]:",
                           "[]:1",
                           "[127.0.0.1]:1",
                           "[host]:1",
                           "a b:1",
                           "a/b:1",
                           "unix:",
                           "host:1 "}) {
    const auto address = parse_address(text);
    EXPECT_FALSE(address) << text;
    if (!address) EXPECT_GT(address.error().size(), 10U) << text;
  }
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const auto* text : {"127.0.0.1:8088", "[::1]:9", "example.org:0", ":8088", "unix:/tmp/a b"})
    EXPECT_EQ(to_string(*parse_address(text)), text);
}

}  // namespace
}  // namespace pake::net
