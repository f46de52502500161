#include "pake/files/messages.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pake/testing/hex.h"

namespace pake::files {
namespace {

using testing::hex;

Result<Message> decode_whole(Bytes bytes) {
  const auto header = MessageHeader::decode(bytes.first<MessageHeader::kSize>());
  if (!header) return std::unexpected(header.error());
  return decode(header->type, bytes.subspan(MessageHeader::kSize));
}

Entry file(std::string path, std::uint64_t size = 5) { return {.size = size, .path = std::move(path)}; }

const std::vector<Message>& every_message() {
  static const Buffer bytes = {1, 2, 3};
  static const std::vector<Message> all = {
      Offer{.entries = 2, .total = 7},
      Entries{{file("a"), {.kind = EntryKind::folder, .path = "b"}}},
      Prefix{.index = 1, .hash = {9}},
      Data{bytes},
      Hole{1UL << 40U},
      End{.index = 3, .hash = {8}},
      NotComing{.index = 4, .reason = Unreadable::changed},
      Accept{},
      Decline{Declined::too_much},
      Ask{.index = 5, .length = 6},
      Fetch{.index = 7, .offset = 8},
      Summary{.stored = 1, .unchanged = 2, .missing = 3, .reason = Missing::no_room}};
  return all;
}

// docs/files.md, section 2.
TEST(Messages, AreWhatThePageSays) {
  EXPECT_EQ(hex(encode(Offer{.entries = 2, .total = 7})), "0100000d02000000020000000000000007");
  EXPECT_EQ(
      hex(encode(Entries{
          {{.executable = true, .is_private = true, .size = 5, .modified = -1, .nanoseconds = 2, .path = "a/b"}}})),
      "0200001b01030000000000000005ffffffffffffffff000000020003612f62");
  EXPECT_EQ(hex(encode(Ask{.index = 5, .length = 6})), "1200000c000000050000000000000006");
  EXPECT_EQ(hex(encode(Summary{.stored = 1, .unchanged = 2, .missing = 3, .reason = Missing::exists})),
            "1400000d00000001000000020000000302");
}

TEST(Messages, DecodeToWhatWasEncodedAndNoOtherLengthDoes) {
  for (const auto& message : every_message()) {
    const auto bytes = encode(message);
    const auto decoded = decode_whole(bytes);
    ASSERT_TRUE(decoded) << hex(bytes);
    EXPECT_EQ(decoded->index(), message.index());
    EXPECT_EQ(hex(encode(*decoded)), hex(bytes));
    if (std::holds_alternative<Data>(message)) continue;
    auto longer = bytes;
    longer.push_back(0);
    const auto type = static_cast<MessageType>(bytes[0]);
    EXPECT_FALSE(decode(type, Bytes(longer).subspan(MessageHeader::kSize))) << hex(bytes);
    if (bytes.size() > MessageHeader::kSize) {
      EXPECT_FALSE(decode(type, Bytes(bytes).subspan(MessageHeader::kSize).first(bytes.size() - 5))) << hex(bytes);
    }
  }
}

TEST(Messages, ABodyIsNeverLongerThanItsType) {
  for (const std::array<std::uint8_t, 4> header : {std::array<std::uint8_t, 4>{0x04, 0x04, 0x00, 0x01},
                                                   {0x04, 0x00, 0x00, 0x00},
                                                   {0x02, 0xff, 0xff, 0xff},
                                                   {0x10, 0x00, 0x00, 0x01},
                                                   {0x00, 0x00, 0x00, 0x01},
                                                   {0x08, 0x00, 0x00, 0x01},
                                                   {0xff, 0x00, 0x00, 0x01}})
    EXPECT_FALSE(MessageHeader::decode(header));
}

TEST(Paths, ThatCouldLeaveTheFolderAreNone) {
  for (const std::string path :
       {"", "/", "/etc/passwd", "..", ".", "a/..", "../a", "a/../b", "a/./b", "a//b", "a/", "./a", "a/.."})
    EXPECT_FALSE(is_path(path)) << path;
  EXPECT_FALSE(is_path(std::string("a\0b", 3)));
  EXPECT_FALSE(is_path(std::string(256, 'x')));
  EXPECT_FALSE(is_path("photo.jpg.pake-part"));
  EXPECT_FALSE(is_path("x.pake-part/y"));
  std::string deep = "x";
  for (std::size_t i = 1; i < kMaxDepth; ++i) deep += "/x";
  EXPECT_TRUE(is_path(deep));
  EXPECT_FALSE(is_path(deep + "/x"));
}

TEST(Paths, OfAnyBytesAreFine) {
  for (const std::string path : {"a", "...", "..a", "a b", "\x1b[31m", "\xff\xfe", "a\nb", "-rf", "a/b/c", "~", "a\\b"})
    EXPECT_TRUE(is_path(path)) << path;
  EXPECT_TRUE(is_path(std::string(255, 'x')));
}

TEST(Messages, OnlyGoodEntriesDecode) {
  const auto one_lie = [](auto lie) {
    Entry entry = file("a");
    lie(entry);
    return decode_whole(encode(Entries{{entry}})).has_value();
  };
  EXPECT_TRUE(one_lie([](Entry&) {}));
  EXPECT_FALSE(one_lie([](Entry& entry) { entry.path = "../a"; }));
  EXPECT_FALSE(one_lie([](Entry& entry) { entry.size = kMaxSize + 1; }));
  EXPECT_FALSE(one_lie([](Entry& entry) { entry.nanoseconds = 1'000'000'000; }));
  EXPECT_FALSE(one_lie([](Entry& entry) { entry.kind = EntryKind::folder; }));
  EXPECT_FALSE(one_lie([](Entry& entry) { entry.kind = EntryKind::stream; }));
  EXPECT_FALSE(one_lie([](Entry& entry) { entry.kind = static_cast<EntryKind>(5); }));
  EXPECT_FALSE(one_lie([](Entry& entry) {
    entry.kind = EntryKind::text;
    entry.size = kMaxText + 1;
  }));
}

}  // namespace
}  // namespace pake::files
