#include "pake/base/writer.h"

#include <gtest/gtest.h>

namespace pake {
namespace {

TEST(Writer, WritesBigEndianInOrder) {
  const Buffer field = {7, 7};
  Writer writer(24);
  writer.u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f).put(field).put_lp1(field).put_lp2(field);
  EXPECT_EQ(writer.take(), Buffer({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 7, 7, 2, 7, 7, 0, 2, 7, 7}));
}

TEST(WriterDeathTest, AFieldTooLongForItsLengthAborts) {
  const Buffer field(65536, 0);
  EXPECT_DEATH(Writer().put_lp1(Bytes(field).first(256)), "");
  EXPECT_DEATH(Writer().put_lp2(field), "");
}

}  // namespace
}  // namespace pake
