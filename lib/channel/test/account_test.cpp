#include "pake/channel/account.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "pake/testing/hex.h"

namespace pake::channel {
namespace {

Buffer some(std::size_t size) {
  Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

struct Parts {
  Buffer request, response, record, ke1, ke2, ke3;
};

Parts parts_of(Suite suite) {
  if (suite == Suite::opaque_ristretto255) return {some(32), some(64), some(192), some(96), some(320), some(64)};
  return {some(33), some(66), some(129), some(98), some(259), some(32)};
}

std::vector<Buffer> all_messages(Suite suite, const Parts& parts) {
  const std::string name(255, 'n');
  return {RecordRequest{RecordPurpose::enrol, suite, as_bytes("alice"), parts.request}.encode(),
          RecordRequest{RecordPurpose::migrate, suite, as_bytes(name), parts.request}.encode(),
          RecordAnswer{suite, crypto::KsfProfile::small, parts.response}.encode(),
          RecordUpload{suite, crypto::KsfProfile::small, parts.record, parts.ke1}.encode(),
          RecordChallenge{suite, parts.ke2}.encode(),
          RecordProof{suite, parts.ke3}.encode(),
          RecordStored{}.encode(),
          RecordRefused{}.encode(),
          RecordRefused{.code = RecordRefusal::throttled, .retry_after = 3600}.encode(),
          RecordRefused{.code = RecordRefusal::other_suite, .suite = suite}.encode()};
}

class AccountMessages : public ::testing::TestWithParam<Suite> {
 protected:
  Parts parts = parts_of(GetParam());
  std::vector<Buffer> messages = all_messages(GetParam(), parts);
};

INSTANTIATE_TEST_SUITE_P(Suites, AccountMessages, ::testing::Values(Suite::opaque_ristretto255, Suite::opaque_p256));

TEST_P(AccountMessages, AreReadAsTheyWereWritten) {
  for (const auto& bytes : messages) {
    EXPECT_LE(bytes.size(), kMaxAccountMessageSize);
    auto more = bytes;
    more.push_back(0xff);  // of the next one
    const auto found = leading_account_message(more);
    ASSERT_TRUE(found && *found) << testing::hex(bytes);
    EXPECT_EQ((*found)->size, bytes.size());
    EXPECT_EQ(std::visit([](const auto& message) { return message.encode(); }, (*found)->message), bytes);
  }
}

TEST_P(AccountMessages, APartOfOneIsWaitedFor) {
  for (const auto& bytes : messages)
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto found = leading_account_message(Bytes(bytes).first(size));
      ASSERT_TRUE(found) << size;
      EXPECT_FALSE(*found) << size;
    }
}

TEST_P(AccountMessages, AnotherLengthIsMalformed) {
  for (const auto& bytes : messages)
    for (const int by : {-1, 1}) {
      auto changed = bytes;
      if (by == 1) changed.push_back(0);
      const auto length = bytes.size() - 4 + static_cast<std::size_t>(by);
      if (length > 0xffff) continue;  // a body of no bytes has none less
      changed[2] = static_cast<std::uint8_t>(length >> 8U);
      changed[3] = static_cast<std::uint8_t>(length);
      EXPECT_EQ(leading_account_message(changed).error(), Errc::malformed) << testing::hex(bytes);
    }
}

TEST(AccountMessage, SaysAtOnceWhatItWillNotBe) {
  for (const char* bytes : {"00", "08", "ff", "010003fd", "06ffffff"})
    EXPECT_FALSE(leading_account_message(testing::unhex(bytes))) << bytes;
  EXPECT_TRUE(leading_account_message(testing::unhex("010003fc"))) << "the longest";
}

TEST(AccountMessage, HasNoFieldOfAnotherValue) {
  const std::string body(32, 'x');
  const auto request = [&](std::uint8_t purpose, std::uint8_t suite, std::string_view name) {
    return leading_account_message(
        as_bytes(std::string{1, 0, 0, static_cast<char>(3 + name.size() + body.size()), static_cast<char>(purpose),
                             static_cast<char>(suite), static_cast<char>(name.size())} +
                 std::string(name) + body));
  };
  EXPECT_TRUE(request(1, 1, "alice"));
  for (const auto purpose : std::to_array<std::uint8_t>({0, 4, 255})) EXPECT_FALSE(request(purpose, 1, "alice"));
  for (const auto suite : std::to_array<std::uint8_t>({0, 2, 0x11, 0x21, 255}))
    EXPECT_FALSE(request(1, suite, "alice"));
  EXPECT_FALSE(request(1, 1, ""));
  for (const char* refused : {"07000006"
                              "000000000000",
                              "07000006"
                              "090000000000",
                              "07000006"
                              "010100000000",
                              "07000006"
                              "010000000001",
                              "07000006"
                              "050000000000",
                              "07000006"
                              "051100000000"})
    EXPECT_FALSE(leading_account_message(testing::unhex(refused))) << refused;
}

TEST(MigrationOffer, IsTwoBytes) {
  const MigrationOffer offer{.suite = Suite::opaque_p256, .ksf = crypto::KsfProfile::rfc9106_2};
  EXPECT_EQ(testing::hex(offer.encode()), "0202");
  EXPECT_EQ(MigrationOffer::decode(offer.encode()).value().suite, Suite::opaque_p256);
  for (const char* bytes : {"", "02", "020202", "1102", "0200", "0205"})
    EXPECT_FALSE(MigrationOffer::decode(testing::unhex(bytes))) << bytes;
}

}  // namespace
}  // namespace pake::channel
