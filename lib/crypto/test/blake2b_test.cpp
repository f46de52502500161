#include "pake/crypto/blake2b.h"

#include <gtest/gtest.h>

#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::hex;

// RFC 7693's function with 32 bytes of output, as Python's hashlib.blake2b(digest_size=32) computes it.
TEST(Blake2b, IsTheFunctionOfTheRfc) {
  EXPECT_EQ(hex(Blake2b().hash()), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(hex(Blake2b().update(as_bytes("abc")).hash()),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(Blake2b, GoesOnAfterAHashAndFromACopy) {
  Blake2b running;
  running.update(as_bytes("a"));
  auto copy = running;
  static_cast<void>(running.hash());
  EXPECT_EQ(running.update(as_bytes("bc")).hash(), Blake2b().update(as_bytes("abc")).hash());
  EXPECT_EQ(copy.update(as_bytes("bd")).hash(), Blake2b().update(as_bytes("abd")).hash());
}

}  // namespace
}  // namespace pake::crypto
