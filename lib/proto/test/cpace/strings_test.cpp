#include "pake/proto/cpace/strings.h"

#include <gtest/gtest.h>

#include <string>

#include "../../src/cpace/secret_strings.h"
#include "pake/testing/hex.h"

namespace pake::cpace {
namespace {

using testing::hex;

std::string generator(std::string_view PRS) {
  return hex(generator_string("CPace255", as_bytes(PRS), as_bytes("ci"), as_bytes("sid"), 128).reveal());
}

// draft-irtf-cfrg-cpace-21, appendix A.
TEST(CPaceStrings, PrependLen) {
  EXPECT_EQ(hex(prepend_len({})), "00");
  EXPECT_EQ(hex(prepend_len(as_bytes("1234"))), "0431323334");
  EXPECT_EQ(hex(prepend_len(Buffer(127))).substr(0, 4), "7f00");
  EXPECT_EQ(hex(prepend_len(Buffer(128))).substr(0, 6), "800100");
  EXPECT_EQ(hex(prepend_len(Buffer(16384))).substr(0, 8), "80800100");
  EXPECT_EQ(prepend_len(Buffer(16384)).size(), 16387U);
}

TEST(CPaceStrings, LvCat) {
  EXPECT_EQ(hex(lv_cat({as_bytes("1234"), as_bytes("5"), {}, as_bytes("678")})), "043132333401350003363738");
  EXPECT_EQ(hex(lv_cat({})), "");
}

TEST(CPaceStrings, OCatOrdersByUnsignedBytes) {
  EXPECT_EQ(as_text(o_cat(as_bytes("ABCD"), as_bytes("BCD"))), "ocBCDABCD");
  EXPECT_EQ(as_text(o_cat(as_bytes("BCD"), as_bytes("ABCDE"))), "ocBCDABCDE");
  EXPECT_EQ(hex(o_cat(Buffer{0x7f}, Buffer{0x80})), "6f63807f");
  EXPECT_EQ(hex(o_cat(Buffer{0}, Buffer{0, 0})), "6f63000000");
  EXPECT_EQ(as_text(o_cat(as_bytes("same"), as_bytes("same"))), "ocsamesame");
}

TEST(CPaceStrings, TheFirstHashBlockHoldsDsiPrsAndPadding) {
  // CI's length byte is the first of the second block, for every password that leaves room for the padding.
  for (std::size_t size = 0; size <= 117; ++size) {
    const auto string = generator(std::string(size, 'p'));
    EXPECT_EQ(string.substr(std::size_t{2} * 128), hex(lv_cat({as_bytes("ci"), as_bytes("sid")}))) << size;
  }
}

TEST(CPaceStrings, ALongPasswordLeavesAnEmptyPadding) {
  const std::string PRS(118, 'p');
  EXPECT_EQ(generator(PRS), hex(lv_cat({as_bytes("CPace255"), as_bytes(PRS), {}, as_bytes("ci"), as_bytes("sid")})));
}

}  // namespace
}  // namespace pake::cpace
