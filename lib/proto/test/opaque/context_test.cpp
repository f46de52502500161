#include "pake/proto/opaque/context.h"

#include <gtest/gtest.h>

#include <set>

#include "pake/proto/opaque/identities.h"
#include "pake/testing/hex.h"

namespace pake::opaque {
namespace {

using testing::hex;
using testing::unhex;

TEST(ToolkitContext, IsWrittenAsDocumented) {
  EXPECT_EQ(hex(*toolkit_context(SuiteId::p256,
                                 crypto::Argon2id{.memory_kib = 65536, .passes = 3, .lanes = 4, .tag_length = 32},
                                 as_bytes("app"))),
            "0015"
            "70616b65206f706171756520636f6e746578742031"
            "02"
            "01"
            "13"
            "00010000"
            "00000003"
            "00000004"
            "0020"
            "0010"
            "00000000000000000000000000000000"
            "0003"
            "617070");
  EXPECT_EQ(
      hex(*toolkit_context(SuiteId::ristretto255,
                           crypto::Scrypt{.salt = unhex("aabb"), .N = 32768, .r = 8, .p = 1, .output_length = 64}, {})),
      "0015"
      "70616b65206f706171756520636f6e746578742031"
      "01"
      "02"
      "0000000000008000"
      "00000008"
      "00000001"
      "0040"
      "0002"
      "aabb"
      "0000");
  EXPECT_EQ(hex(*toolkit_context(SuiteId::p521, crypto::IdentityWithoutAnyProtection{}, {})),
            "0015"
            "70616b65206f706171756520636f6e746578742031"
            "04"
            "03"
            "0000");
}

TEST(ToolkitContext, TellsEveryDifferenceApart) {
  std::set<Buffer> contexts;
  std::size_t count = 0;
  for (const auto suite : {SuiteId::ristretto255, SuiteId::p256, SuiteId::p384, SuiteId::p521})
    for (const auto profile : {crypto::KsfProfile::rfc9807, crypto::KsfProfile::rfc9106_2,
                               crypto::KsfProfile::scrypt_rfc9807, crypto::KsfProfile::small})
      for (const std::size_t length : {32U, 64U})
        for (const auto* application : {"", "a", "ab"}) {
          contexts.insert(*toolkit_context(suite, crypto::ksf_parameters(profile, length), as_bytes(application)));
          ++count;
        }
  EXPECT_EQ(contexts.size(), count);
}

TEST(ToolkitContext, IsBounded) {
  const crypto::KsfParameters identity = crypto::IdentityWithoutAnyProtection{};
  const Buffer longest(kMaxInputSize - 27), too_long(longest.size() + 1);
  EXPECT_EQ(toolkit_context(SuiteId::p256, identity, longest)->size(), kMaxInputSize);
  EXPECT_EQ(toolkit_context(SuiteId::p256, identity, too_long).error(), Errc::misuse);
  EXPECT_EQ(toolkit_context(SuiteId::p256, identity, Buffer(70000)).error(), Errc::misuse);
  EXPECT_EQ(toolkit_context(SuiteId::p256, crypto::Argon2id{.salt = Buffer(70000)}, {}).error(), Errc::misuse);
}

}  // namespace
}  // namespace pake::opaque
