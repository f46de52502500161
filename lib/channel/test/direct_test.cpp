#include "pake/channel/direct.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pake/testing/hex.h"

namespace pake::channel {
namespace {

DirectAddress v4(std::array<std::uint8_t, 4> host, std::uint16_t port = 40'000) {
  DirectAddress address{.family = AddressFamily::v4, .port = port};
  std::ranges::copy(host, address.bytes.begin());
  return address;
}
DirectAddress v6(std::array<std::uint8_t, 16> host, std::uint16_t port = 40'000) {
  return {.family = AddressFamily::v6, .bytes = host, .port = port};
}

const auto kV4 = v4({192, 0, 2, 7});
const auto kV6 = v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

TEST(Direct, IsReadAsItWasWritten) {
  for (const DirectMessage& message :
       {DirectMessage(DirectAddresses{}), DirectMessage(DirectAddresses{{kV4, kV6}}),
        DirectMessage(DirectReached{false}), DirectMessage(DirectReached{true}),
        DirectMessage(DirectChoice{DirectWay::none}), DirectMessage(DirectChoice{DirectWay::by_joiner}),
        DirectMessage(DirectChoice{DirectWay::by_waiter})}) {
    const auto bytes = encode(message);
    EXPECT_EQ(decode_direct(bytes), message);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_EQ(decode_direct(Bytes(bytes).first(size)), std::unexpected(Errc::malformed)) << size;
    auto longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(decode_direct(longer), std::unexpected(Errc::malformed));
  }
}

TEST(Direct, BytesAreThoseOfThePage) {
  EXPECT_EQ(testing::hex(encode(DirectAddresses{{kV4, kV6}})),
            "011b0204c00002079c4006"
            "20010db80000000000000000000000019c40");
  EXPECT_EQ(testing::hex(encode(DirectReached{true})), "020101");
  EXPECT_EQ(testing::hex(encode(DirectChoice{DirectWay::by_waiter})), "030102");
}

TEST(Direct, NamesEightAddressesAtMostAndNoneTwice) {
  DirectAddresses addresses;
  for (std::uint8_t i = 0; i < kMaxDirectAddresses; ++i) addresses.list.push_back(v6({0xfd, 0, 0, 0, 0, 0, 0, i}));
  auto bytes = encode(addresses);
  EXPECT_EQ(bytes.size(), DirectHeader::kSize + DirectHeader::kMaxBody);
  EXPECT_EQ(decode_direct(bytes), DirectMessage(addresses));
  const Buffer one(bytes.end() - 19, bytes.end());
  auto nine = bytes;
  nine.insert(nine.end(), one.begin(), one.end());
  nine[1] = static_cast<std::uint8_t>(nine[1] + 19);
  nine[2] = 9;
  EXPECT_EQ(decode_direct(nine), std::unexpected(Errc::malformed));
  addresses.list[3] = addresses.list[4];
  EXPECT_EQ(decode_direct(encode(addresses)), std::unexpected(Errc::malformed));
}

TEST(Direct, NamesNobodyWhoMustNotBeDialled) {
  const auto mapped = [](std::array<std::uint8_t, 4> host) {
    return v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, host[0], host[1], host[2], host[3]});
  };
  for (const auto& address : {v4({127, 0, 0, 1}),
                              v4({127, 255, 255, 254}),
                              v4({0, 0, 0, 0}),
                              v4({0, 1, 2, 3}),
                              v4({224, 0, 0, 1}),
                              v4({239, 255, 80, 88}),
                              v4({255, 255, 255, 255}),
                              v4({192, 0, 2, 7}, 1023),
                              v4({192, 0, 2, 7}, 22),
                              v4({192, 0, 2, 7}, 0),
                              v6({}),
                              v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}),
                              v6({0xff, 0x12}),
                              v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}),
                              v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}),
                              v6({0xfe, 0xbf, 1}),
                              mapped({127, 0, 0, 1}),
                              mapped({192, 0, 2, 7}),
                              v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1}),
                              v6({0x20, 0x01}, 1023)}) {
    EXPECT_FALSE(is_direct(address)) << testing::hex(address.host());
    EXPECT_EQ(decode_direct(encode(DirectAddresses{{kV4, address}})), std::unexpected(Errc::malformed));
  }
  for (const auto& address : {kV4, kV6, v4({10, 0, 0, 1}), v4({192, 168, 1, 1}, 1024), v4({223, 255, 255, 254}),
                              v4({169, 254, 3, 4}), v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, 65'535)})
    EXPECT_TRUE(is_direct(address)) << testing::hex(address.host());
}

TEST(Direct, SaysNothingElse) {
  for (const auto* const hex : {"00", "0100", "010101", "01080105c00002079c40", "020102", "0200", "020200", "030103",
                                "03020000", "0401", "040100", "000100", "01080104c00002079c",
                                "0108020"
                                "4c00002079c40"})
    EXPECT_EQ(decode_direct(testing::unhex(hex)), std::unexpected(Errc::malformed)) << hex;
}

}  // namespace
}  // namespace pake::channel
