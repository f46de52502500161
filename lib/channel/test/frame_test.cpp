#include "pake/channel/frame.h"

#include <gtest/gtest.h>

#include <vector>

namespace pake::channel {
namespace {

constexpr AwaitedFrame kAwaited[] = {{.type = FrameType::server_hello, .min_body = 3, .max_body = 300},
                                     {.type = FrameType::alert, .min_body = 5, .max_body = 5}};

Buffer frame_of(std::uint8_t type, std::size_t length) {
  const auto header =
      FrameHeader{.type = static_cast<FrameType>(type), .length = static_cast<std::uint32_t>(length)}.encode();
  Buffer bytes(header.begin(), header.end());
  bytes.resize(bytes.size() + length, 0x55);
  return bytes;
}

TEST(FrameHeader, IsFourBytesBigEndian) {
  const auto bytes = FrameHeader{.type = FrameType::data, .length = 0x010203}.encode();
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 4>{0x10, 1, 2, 3}));
  const auto header = FrameHeader::decode(bytes);
  EXPECT_EQ(header.type, FrameType::data);
  EXPECT_EQ(header.length, 0x010203U);
}

TEST(LeadingFrame, WaitsUntilTheFrameIsWholeAndLeavesTheRest) {
  auto bytes = frame_of(0x03, 300);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto found = leading_frame(Bytes(bytes).first(size), kAwaited);
    ASSERT_TRUE(found) << size;
    EXPECT_FALSE(*found) << size;
  }
  bytes.insert(bytes.end(), {0x10, 0, 0});
  const auto found = leading_frame(bytes, kAwaited);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->type, FrameType::server_hello);
  EXPECT_EQ((*found)->whole.size(), 304U);
  EXPECT_EQ((*found)->body.data(), bytes.data() + 4);
  EXPECT_EQ((*found)->body.size(), 300U);
}

TEST(LeadingFrame, RefusesByTheHeaderAlone) {
  for (const std::size_t length : {0U, 2U, 301U, 0xffffffU})
    EXPECT_EQ(leading_frame(Bytes(frame_of(0x03, length)).first(4), kAwaited), fail(Errc::malformed)) << length;
  for (const std::size_t length : {4U, 6U})
    EXPECT_EQ(leading_frame(Bytes(frame_of(0x05, length)).first(4), kAwaited), fail(Errc::malformed)) << length;
}

TEST(LeadingFrame, RefusesATypeNotAwaitedByItsFirstByte) {
  for (unsigned type = 0; type < 256; ++type) {
    const Buffer first = {static_cast<std::uint8_t>(type)};
    EXPECT_EQ(leading_frame(first, kAwaited).has_value(), type == 3 || type == 5) << type;
  }
}

}  // namespace
}  // namespace pake::channel
