#include "pake/crypto/xmd.h"

#include <gtest/gtest.h>

#include <string>

#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

std::string expanded(HashId hash, std::initializer_list<Bytes> msg, std::initializer_list<Bytes> dst, std::size_t n) {
  Buffer out(n);
  expand_message_xmd(hash, msg, dst, out);
  return testing::hex(out);
}

// RFC 9380, Appendix K.1 (SHA-256), K.2 (a DST of 256 bytes), K.3 (SHA-512); the rest of them are in tests/vectors.
TEST(ExpandMessageXmd, Rfc9380) {
  EXPECT_EQ(expanded(HashId::sha256, {as_bytes("a"), as_bytes("bc")},
                     {as_bytes("QUUX-V01-CS02-with-expander-SHA256-128")}, 32),
            "d8ccab23b5985ccea865c6c97b6e5b8350e794e603b4b97902f53a8a0d605615");
  const std::string padding(208, '1');
  EXPECT_EQ(expanded(HashId::sha256, {},
                     {as_bytes("QUUX-V01-CS02-with-expander-SHA256-128-long-DST-"), as_bytes(padding)}, 32),
            "e8dc0c8b686b7ef2074086fbdd2f30e3f8bfbd3bdf177f73f04b97ce618a3ed3");
  EXPECT_EQ(expanded(HashId::sha512, {as_bytes("abc")},
                     {as_bytes("QUUX-V01-CS02-with-expander-"), as_bytes("SHA512-256")}, 32),
            "0da749f12fbe5483eb066a5f595055679b976e93abe9be6f0f6318bce7aca8dc");
}

TEST(ExpandMessageXmd, TheLengthEntersTheHashAndTheDstLimitIs255) {
  const Bytes dst = as_bytes("DST");
  EXPECT_NE(expanded(HashId::sha384, {}, {dst}, 48), expanded(HashId::sha384, {}, {dst}, 49).substr(0, 96));
  EXPECT_EQ(expanded(HashId::sha512, {}, {dst}, 0), "");
  const std::string longest(255, 'x');
  const std::string oversize = longest + "x";
  const auto hashed = hash(HashId::sha384, {as_bytes("H2C-OVERSIZE-DST-"), as_bytes(oversize)});
  EXPECT_EQ(expanded(HashId::sha384, {}, {as_bytes(oversize)}, 99),
            expanded(HashId::sha384, {}, {hashed.reveal()}, 99));
  const auto not_hashed = hash(HashId::sha384, {as_bytes("H2C-OVERSIZE-DST-"), as_bytes(longest)});
  EXPECT_NE(expanded(HashId::sha384, {}, {as_bytes(longest)}, 99),
            expanded(HashId::sha384, {}, {not_hashed.reveal()}, 99));
}

TEST(ExpandMessageXmdDeathTest, MoreThan255BlocksAbort) {
  EXPECT_DEATH(expanded(HashId::sha256, {}, {as_bytes("DST")}, 255 * 32 + 1), "");
}

}  // namespace
}  // namespace pake::crypto
