#include "pake/crypto/base64.h"

#include <gtest/gtest.h>

#include <string>

#include "pake/testing/fixed_rng.h"

namespace pake::crypto {
namespace {

Result<Buffer> decode(std::string_view text) { return base64_decode(as_bytes(text)); }

// RFC 4648, Section 10.
TEST(Base64, ComputesTheRfcsExamples) {
  const std::pair<std::string_view, std::string_view> examples[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, text] : examples) {
    EXPECT_EQ(as_text(base64_encode(as_bytes(plain))), text);
    EXPECT_EQ(decode(text), to_buffer(as_bytes(plain)));
  }
  EXPECT_EQ(decode("+/+/"), Buffer({0xfb, 0xff, 0xbf}));
}

TEST(Base64, EverySizeComesBack) {
  testing::SeededRng rng(1);
  for (std::size_t size = 0; size < 200; ++size) {
    Buffer bytes(size);
    rng.fill(bytes);
    const auto text = base64_encode(bytes);
    EXPECT_EQ(text.size(), base64_size(size));
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

TEST(Base64, OnlyCanonicalTextIsAccepted) {
  for (const std::string_view text : {
           "Z",     "Zg",    "Zg=",    "Zg===",    "Zg==Zg==", "=",    "==",   "===",  "====", "Zm8",
           "Zm8==", "Z===",  "Zm9v=",  "Zm9v====",                                                      // padding
           "Zh==",  "Zm9=",  "Zn==",                                                                    // unused bits
           " Zm9v", "Zm9v ", "Zm\n9v", "Zm9v\n",   "Zm9v\r\n", "Zm9-", "Zm9_", "Zm9!", "Zm.v", "Z=g=",  // alphabet
       })
    EXPECT_EQ(decode(text), Result<Buffer>(fail(Errc::malformed))) << text;
  EXPECT_FALSE(decode(std::string_view("Zm9v\0", 5)));
  EXPECT_FALSE(decode(std::string_view("Zm9\0", 4)));
}

TEST(Base64, EveryOtherFourCharactersAreRefusedOrEncodeToThemselves) {
  std::string text = "Zm9v";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      auto changed = text;
      changed[at] = static_cast<char>(c);
      const auto bytes = decode(changed);
      if (bytes) {
        EXPECT_EQ(as_text(base64_encode(*bytes)), changed);
      }
    }
  }
}

}  // namespace
}  // namespace pake::crypto
