#include "pake/channel/program_status.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace pake::channel {
namespace {

using How = ProgramStatus::How;

constexpr StatusTag kTag = {1, 2, 3, 4};

TEST(ProgramStatus, IsReadAsItWasWritten) {
  for (const auto& status : {ProgramStatus{.tag = kTag}, ProgramStatus{.tag = {}, .how = How::exited, .value = 255},
                             ProgramStatus{.tag = kTag, .how = How::killed, .value = 9}})
    EXPECT_EQ(ProgramStatus::decode(status.encode()), status);
}

TEST(ProgramStatus, IsReadInNoOtherForm) {
  const auto encoded = ProgramStatus{.tag = kTag, .how = How::killed, .value = 9}.encode();
  auto longer = encoded;
  longer.push_back(0);
  for (std::size_t size = 0; size < encoded.size(); ++size)
    EXPECT_EQ(ProgramStatus::decode(Bytes(encoded).first(size)), fail(Errc::malformed)) << size;
  EXPECT_EQ(ProgramStatus::decode(longer), fail(Errc::malformed));
  for (const auto& [how, value] : {std::pair(2, 9), std::pair(255, 0), std::pair(1, 0)}) {
    auto other = encoded;
    other[4] = static_cast<std::uint8_t>(how);
    other[5] = static_cast<std::uint8_t>(value);
    EXPECT_EQ(ProgramStatus::decode(other), fail(Errc::malformed)) << how << ' ' << value;
  }
}

TEST(ProgramStatus, IsAskedForByTheWholeArgument) {
  const auto request = encode_status_request(kTag);
  EXPECT_EQ(request.size(), 15U);
  EXPECT_EQ(find_status_request(request), kTag);
  auto other = request;
  other.push_back(0);
  EXPECT_EQ(find_status_request(other), std::nullopt);
  for (std::size_t size = 0; size < request.size(); ++size)
    EXPECT_EQ(find_status_request(Bytes(request).first(size)), std::nullopt) << size;
  for (std::size_t i = 0; i < kStatusService.size(); ++i) {
    auto changed = request;
    changed[i] ^= 1U;
    EXPECT_EQ(find_status_request(changed), std::nullopt) << i;
  }
}

}  // namespace
}  // namespace pake::channel
