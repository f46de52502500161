#include "pake/proto/cpace/messages.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pake/proto/cpace/strings.h"
#include "support.h"

namespace pake::cpace {
namespace {

class CPaceMessages : public ::testing::TestWithParam<Suite> {
 protected:
  [[nodiscard]] Buffer share() const { return Buffer(parameters(GetParam()).share_size, 0x59); }
  [[nodiscard]] Buffer message(std::size_t AD_size) const {
    return encode({.Y = share(), .AD = Buffer(AD_size, 0xad)});
  }
};
INSTANTIATE_TEST_SUITE_P(EverySuite, CPaceMessages, ::testing::ValuesIn(kSuites), ::testing::PrintToStringParamName());

TEST_P(CPaceMessages, DecodeUndoesEncode) {
  for (const auto size : {0U, 1U, 127U, 128U, 16383U, 16384U, 65536U}) {
    const auto bytes = message(size);
    const auto decoded = decode(GetParam(), bytes);
    ASSERT_TRUE(decoded) << size;
    EXPECT_TRUE(std::ranges::equal(decoded->Y, share()));
    EXPECT_TRUE(std::ranges::equal(decoded->AD, Buffer(size, 0xad)));
    EXPECT_GE(bytes.size(), min_message_size(GetParam()));
    EXPECT_LE(bytes.size(), max_message_size(GetParam(), size));
  }
  EXPECT_EQ(message(0).size(), min_message_size(GetParam()));
  EXPECT_EQ(message(kMaxADSize).size(), max_message_size(GetParam()));
}

TEST_P(CPaceMessages, EveryPrefixIsUnfinishedAndNoMessage) {
  const auto bytes = message(200);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto part = Bytes(bytes).first(size);
    EXPECT_EQ(decode(GetParam(), part).error(), Errc::malformed) << size;
    const auto leading = decode_leading(GetParam(), part);
    ASSERT_TRUE(leading) << size;
    EXPECT_FALSE(*leading) << size;
  }
}

TEST_P(CPaceMessages, WhatFollowsIsNotTheirs) {
  auto bytes = message(3);
  const auto size = bytes.size();
  bytes.push_back(0);
  EXPECT_FALSE(decode(GetParam(), bytes));
  const auto leading = decode_leading(GetParam(), bytes);
  ASSERT_TRUE(leading && *leading);
  EXPECT_EQ((*leading)->size, size);
  EXPECT_TRUE(std::ranges::equal((*leading)->share.AD, Buffer(3, 0xad)));
}

TEST_P(CPaceMessages, RefuseAnotherShareSize) {
  for (const int difference : {-1, 1}) {
    const auto size = static_cast<std::size_t>(static_cast<int>(share().size()) + difference);
    EXPECT_FALSE(decode(GetParam(), encode({.Y = Buffer(size), .AD = {}}))) << size;
  }
  EXPECT_FALSE(decode(GetParam(), encode({.Y = {}, .AD = {}})));
}

TEST_P(CPaceMessages, RefuseLengthsThatAreNotMinimal) {
  const auto Y = prepend_len(share());
  for (const Buffer& length : {Buffer{0x80, 0x00}, Buffer{0x80, 0x80, 0x00}, Buffer{0x81, 0x00}}) {
    auto bytes = Y;
    bytes.insert(bytes.end(), length.begin(), length.end());
    bytes.resize(bytes.size() + (length[0] & 0x7fU));
    EXPECT_FALSE(decode(GetParam(), bytes));
    EXPECT_FALSE(decode_leading(GetParam(), bytes));
  }
}

TEST_P(CPaceMessages, RefuseALongADBeforeItHasArrived) {
  EXPECT_FALSE(decode(GetParam(), message(kMaxADSize + 1)));
  auto bytes = prepend_len(share());
  const auto huge = Buffer{0xff, 0xff, 0xff, 0xff, 0x0f};
  bytes.insert(bytes.end(), huge.begin(), huge.end());
  EXPECT_FALSE(decode_leading(GetParam(), bytes));
  EXPECT_FALSE(decode_leading(GetParam(), message(4), 3));
  EXPECT_TRUE(decode_leading(GetParam(), message(3), 3));
}

}  // namespace
}  // namespace pake::cpace
