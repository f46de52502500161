#include "pake/crypto/seal.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::hex;
using testing::unhex;

// draft-irtf-cfrg-xchacha-03, Appendix A.3.1.
const auto kPlaintext = as_bytes(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
    "it.");
const Buffer kAssociatedData = unhex("50515253c0c1c2c3c4c5c6c7");
const Buffer kNonce = unhex("404142434445464748494a4b4c4d4e4f5051525354555657");
constexpr std::string_view kCiphertext =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb"
    "96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
    "c0875924c1c7987947deafd8780acf49";

SealKey key() {
  return SealKey::make([](auto out) { std::ranges::generate(out, [byte = 0x80]() mutable { return byte++; }); });
}

TEST(Seal, IsXChaCha20Poly1305BehindItsNonce) {
  testing::FixedRng rng(kNonce);
  const auto sealed = seal(key(), kAssociatedData, kPlaintext, rng);
  EXPECT_EQ(hex(sealed), hex(kNonce) + std::string(kCiphertext));
  const auto opened = open_sealed(key(), kAssociatedData, sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(opened->reveal()), as_text(kPlaintext));
}

TEST(Seal, NothingElseOpens) {
  testing::SeededRng rng(1);
  const auto sealed = seal(key(), kAssociatedData, as_bytes("x"), rng);
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    auto flipped = sealed;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_FALSE(open_sealed(key(), kAssociatedData, flipped)) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(open_sealed(key(), kAssociatedData, Bytes(sealed).first(size))) << size;
  EXPECT_FALSE(open_sealed(key(), {}, sealed));
  EXPECT_FALSE(open_sealed(SealKey(), kAssociatedData, sealed));
  EXPECT_TRUE(open_sealed(key(), kAssociatedData, sealed));
}

TEST(Seal, NothingIsSealedToo) {
  testing::SeededRng rng(1);
  const auto sealed = seal(key(), {}, {}, rng);
  EXPECT_EQ(sealed.size(), kSealOverhead);
  EXPECT_TRUE(open_sealed(key(), {}, sealed));
}

}  // namespace
}  // namespace pake::crypto
