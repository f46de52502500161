#include "pake/base/reader.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pake {
namespace {

TEST(Reader, WalksAndKnowsTheEnd) {
  const Buffer bytes = {1, 2, 3, 1, 6, 0, 2, 9, 8, 7};
  Reader reader(bytes);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0203);
  const auto short_field = reader.take_lp1();
  ASSERT_TRUE(short_field);
  EXPECT_EQ(to_buffer(*short_field), Buffer({6}));
  const auto field = reader.take_lp2();
  ASSERT_TRUE(field);
  EXPECT_EQ(to_buffer(*field), Buffer({9, 8}));
  EXPECT_EQ(reader.finish(), fail(Errc::malformed));
  EXPECT_EQ(reader.u8(), 7);
  EXPECT_TRUE(reader.finish());
  EXPECT_EQ(reader.u8(), fail(Errc::malformed));
}

TEST(Reader, IntegersAreBigEndian) {
  const Buffer bytes = {0xff, 0xfe, 0xfd, 0xfc, 1, 2, 3, 4, 5, 6, 7, 8};
  Reader reader(bytes);
  EXPECT_EQ(reader.u32(), 0xfffefdfcU);
  EXPECT_EQ(reader.u64(), 0x0102030405060708U);
}

TEST(Reader, RefusesLengthsBeyondTheEnd) {
  for (std::size_t size = 0; size < 4; ++size) {
    const Buffer bytes = {0, 2, 5, 5};
    EXPECT_FALSE(Reader(Bytes(bytes).first(size)).take_lp2()) << size;
    EXPECT_FALSE(Reader(Bytes(bytes).subspan(1).first(std::min(size, std::size_t{2}))).take_lp1()) << size;
    EXPECT_FALSE(Reader(Bytes(bytes).first(size)).u32()) << size;
  }
  EXPECT_FALSE(Reader({}).take(SIZE_MAX));
}

}  // namespace
}  // namespace pake
