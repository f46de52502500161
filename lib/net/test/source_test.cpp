#include "pake/net/source.h"

#include <gtest/gtest.h>

namespace pake::net {
namespace {

Source of(const std::string& host) { return Source(TcpAddress{.host = host, .port = 1}); }

TEST(Source, IsAnIPv4Address) {
  EXPECT_EQ(of("192.0.2.7"), Source(TcpAddress{.host = "192.0.2.7", .port = 2}));
  EXPECT_NE(of("192.0.2.7"), of("192.0.2.8"));
  EXPECT_EQ(of("192.0.2.7").text(), "192.0.2.7/32");
}

TEST(Source, IsTheNetworkOfAnIPv6Address) {
  EXPECT_EQ(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
  EXPECT_NE(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
  EXPECT_EQ(of("2001:db8:0:1::1").text(), "2001:db8:0:1::/64");
  EXPECT_EQ(of("fe80::1%eth0"), of("fe80::2"));
}

TEST(Source, OfAMappedAddressIsTheIPv4Address) {
  EXPECT_EQ(of("::ffff:192.0.2.7"), of("192.0.2.7"));
  EXPECT_NE(of("::ffff:192.0.2.7"), of("::1"));
}

TEST(Source, IsOneForAllUnixSockets) {
  EXPECT_EQ(Source(UnixAddress{.path = "a"}), Source(UnixAddress{.path = "b"}));
  EXPECT_NE(Source(UnixAddress{.path = "a"}), of("0.0.0.0"));
  EXPECT_EQ(Source(UnixAddress{.path = "a"}).text(), "unix");
}

}  // namespace
}  // namespace pake::net
