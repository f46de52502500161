#include "pake/server/proxy_protocol.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "pake/base/writer.h"

namespace pake::server {
namespace {

const Buffer kSignature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

Buffer header(std::uint8_t command, std::uint8_t family, const Buffer& body) {
  return Writer().put(kSignature).u8(command).u8(family).put_lp2(body).take();
}

const Buffer kIPv4Body = {192, 0, 2, 7, 127, 0, 0, 1, 0x12, 0x67, 0x1f, 0x98};

TEST(ProxyProtocol, NamesTheSource) {
  const auto v4 = header(0x21, 0x11, kIPv4Body);
  EXPECT_EQ(proxy_header_size(Bytes(v4).first(kProxyPrefixSize)), v4.size());
  EXPECT_EQ(decode_proxy_header(v4).value(), (net::TcpAddress{.host = "192.0.2.7", .port = 4711}));

  Buffer body(36);
  body[0] = 0x20, body[1] = 0x01, body[15] = 1, body[33] = 80;
  EXPECT_EQ(decode_proxy_header(header(0x21, 0x21, body)).value(), (net::TcpAddress{.host = "2001::1", .port = 80}));
}

TEST(ProxyProtocol, LocalAndOtherFamiliesNameNobody) {
  EXPECT_EQ(decode_proxy_header(header(0x20, 0x00, {})).value(), std::nullopt);
  EXPECT_EQ(decode_proxy_header(header(0x20, 0x11, kIPv4Body)).value(), std::nullopt);
  EXPECT_EQ(decode_proxy_header(header(0x21, 0x31, Buffer(216))).value(), std::nullopt);
  EXPECT_EQ(decode_proxy_header(header(0x21, 0x00, {1, 2, 3})).value(), std::nullopt);
}

TEST(ProxyProtocol, SkipsTlvsThatAreWhole) {
  auto body = kIPv4Body;
  body.insert(body.end(), {0x03, 0x00, 0x04, 1, 2, 3, 4});
  EXPECT_TRUE(decode_proxy_header(header(0x21, 0x11, body)));
  body.pop_back();
  EXPECT_FALSE(decode_proxy_header(header(0x21, 0x11, body)));
}

TEST(ProxyProtocol, RefusesEverythingElse) {
  EXPECT_FALSE(proxy_header_size(Buffer(kProxyPrefixSize)));
  EXPECT_FALSE(proxy_header_size({}));
  EXPECT_FALSE(decode_proxy_header({}));
  EXPECT_FALSE(decode_proxy_header(header(0x22, 0x11, kIPv4Body)));
  EXPECT_FALSE(decode_proxy_header(header(0x11, 0x11, kIPv4Body)));
  EXPECT_FALSE(decode_proxy_header(header(0x21, 0x11, Buffer(11))));
  EXPECT_FALSE(decode_proxy_header(header(0x21, 0x11, Buffer(1009))));  // longer than what we read of one
  const auto good = header(0x21, 0x11, kIPv4Body);
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(decode_proxy_header(Bytes(good).first(size)));
  for (std::size_t bit = 0; bit < 8 * kSignature.size(); ++bit) {
    auto wrong = good;
    wrong[bit / 8] = static_cast<std::uint8_t>(wrong[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(decode_proxy_header(wrong));
  }
}

TEST(ProxyProtocol, IsTotal) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = header(0x21, random() % 2 == 0 ? 0x11 : 0x21, Buffer(random() % 64));
    for (auto at = kProxyPrefixSize; at < bytes.size(); ++at) bytes[at] = static_cast<std::uint8_t>(random());
    if (random() % 4 == 0) bytes[random() % kProxyPrefixSize] = static_cast<std::uint8_t>(random());
    static_cast<void>(decode_proxy_header(bytes));
  }
}

TEST(ProxyProtocol, WhatWeWriteWeRead) {
  const auto written = encode_proxy_header(net::TcpAddress{.host = "192.0.2.7", .port = 4711},
                                           net::TcpAddress{.host = "127.0.0.1", .port = 80}, "alice");
  EXPECT_EQ(decode_proxy_header(written).value(), (net::TcpAddress{.host = "192.0.2.7", .port = 4711}));
  const Buffer tlv = {kProxyUserTlv, 0, 5, 'a', 'l', 'i', 'c', 'e'};
  EXPECT_TRUE(std::equal(tlv.rbegin(), tlv.rend(), written.rbegin()));

  const auto mixed = encode_proxy_header(net::TcpAddress{.host = "2001:db8::1", .port = 4711},
                                         net::UnixAddress{.path = "/run/backend"}, "alice");
  EXPECT_EQ(decode_proxy_header(mixed).value(), std::nullopt);
  EXPECT_EQ(mixed.size(), kProxyPrefixSize + tlv.size());
}

}  // namespace
}  // namespace pake::server
