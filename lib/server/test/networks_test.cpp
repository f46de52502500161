#include "pake/server/networks.h"

#include <gtest/gtest.h>

namespace pake::server {
namespace {

net::Address peer(const char* host) { return net::TcpAddress{.host = host, .port = 4711}; }

TEST(NetworkList, HoldsPrefixes) {
  NetworkList list;
  EXPECT_TRUE(list.empty());
  for (const char* text : {"10.0.0.0/8", "192.0.2.7", "fd00::/9", "198.51.100.128/25"}) EXPECT_TRUE(list.add(text));
  EXPECT_TRUE(list.contains(peer("10.255.0.1")));
  EXPECT_TRUE(list.contains(peer("::ffff:10.1.2.3")));
  EXPECT_FALSE(list.contains(peer("11.0.0.1")));
  EXPECT_TRUE(list.contains(peer("192.0.2.7")));
  EXPECT_FALSE(list.contains(peer("192.0.2.6")));
  EXPECT_TRUE(list.contains(peer("fd7f::1")));
  EXPECT_FALSE(list.contains(peer("fd80::1")));
  EXPECT_TRUE(list.contains(peer("198.51.100.200")));
  EXPECT_FALSE(list.contains(peer("198.51.100.1")));
  EXPECT_FALSE(list.contains(net::UnixAddress{.path = "/run/x"}));
  list.add_unix();
  EXPECT_TRUE(list.contains(net::UnixAddress{.path = "/run/x"}));
}

TEST(NetworkList, RefusesWhatIsNoNetwork) {
  NetworkList list;
  for (const char* text : {"", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "fd00::/129", "fd00::1/8",
                           "host", "10.0.0.0/-1", "fe80::1%eth0"})
    EXPECT_FALSE(list.add(text)) << text;
  EXPECT_TRUE(list.empty());
  EXPECT_TRUE(list.add("0.0.0.0/0"));
  EXPECT_TRUE(list.contains(peer("8.8.8.8")));
  EXPECT_FALSE(list.contains(peer("2001:db8::1")));
}

}  // namespace
}  // namespace pake::server
