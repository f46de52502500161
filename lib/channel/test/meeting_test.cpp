#include "pake/channel/meeting.h"

#include <gtest/gtest.h>

#include <vector>

#include "pake/testing/hex.h"

namespace pake::channel {
namespace {

constexpr MeetingToken kToken = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

template <class T>
Bytes body_of(const Buffer& frame) {
  const auto found = leading_frame(
      frame,
      std::vector{AwaitedFrame{.type = static_cast<FrameType>(frame[0]), .min_body = T::kSize, .max_body = T::kSize}});
  EXPECT_TRUE(found && *found);
  return Bytes(frame).subspan(FrameHeader::kSize);
}

TEST(Meet, IsReadAsItWasWritten) {
  for (const auto& meet :
       {Meet{.action = MeetAction::create, .tries = 1}, Meet{.action = MeetAction::create, .tries = kMaxMeetingTries},
        Meet{.action = MeetAction::join, .selector = kMeetingSelectors - 1},
        Meet{.action = MeetAction::join, .selector = 0},
        Meet{.action = MeetAction::resume, .selector = 4711, .token = kToken},
        Meet{.action = MeetAction::keep, .tries = kMaxMeetingTries, .selector = 4711, .token = kToken}}) {
    const auto frame = meet.encode();
    EXPECT_EQ(frame.size(), 31U);
    EXPECT_EQ(Meet::decode(body_of<Meet>(frame)), meet);
  }
}

TEST(Meet, HasNoFieldThatItsActionHasNot) {
  for (const auto& meet :
       {Meet{.action = MeetAction::create, .tries = 0},
        Meet{.action = MeetAction::create, .tries = kMaxMeetingTries + 1},
        Meet{.action = MeetAction::create, .tries = 1, .selector = 1},
        Meet{.action = MeetAction::create, .tries = 1, .token = kToken},
        Meet{.action = MeetAction::join, .tries = 1, .selector = 1},
        Meet{.action = MeetAction::join, .selector = kMeetingSelectors},
        Meet{.action = MeetAction::join, .selector = 1, .token = kToken},
        Meet{.action = MeetAction::resume, .tries = 1, .selector = 1, .token = kToken},
        Meet{.action = MeetAction::resume, .selector = kMeetingSelectors, .token = kToken},
        Meet{.action = MeetAction::keep, .tries = 0, .selector = 1, .token = kToken},
        Meet{.action = MeetAction::keep, .tries = 1, .selector = 1},
        Meet{.action = MeetAction::keep, .tries = 1, .selector = kMeetingSelectors, .token = kToken},
        Meet{.action = static_cast<MeetAction>(0), .tries = 1}, Meet{.action = static_cast<MeetAction>(5)}})
    EXPECT_EQ(Meet::decode(body_of<Meet>(meet.encode())), std::unexpected(AlertCode::malformed));
}

TEST(Meet, OfAnotherVersionIsUnsupported) {
  auto frame = Meet{.action = MeetAction::create, .tries = 1}.encode();
  frame[8] ^= 0x80U;
  EXPECT_EQ(Meet::decode(body_of<Meet>(frame)), std::unexpected(AlertCode::unsupported));
  frame[4] = 'P';
  EXPECT_EQ(Meet::decode(body_of<Meet>(frame)), std::unexpected(AlertCode::malformed));
}

TEST(Met, IsReadAsItWasWritten) {
  for (const auto& met : {Met{.event = MetEvent::waiting, .selector = 1'048'575, .token = kToken},
                          Met{.event = MetEvent::joined, .selector = 0}}) {
    const auto frame = met.encode();
    EXPECT_EQ(frame.size(), 26U);
    EXPECT_EQ(Met::decode(body_of<Met>(frame)), met);
  }
  for (const auto& met : {Met{.event = MetEvent::joined, .selector = 1, .token = kToken},
                          Met{.event = MetEvent::waiting, .selector = kMeetingSelectors},
                          Met{.event = static_cast<MetEvent>(0)}, Met{.event = static_cast<MetEvent>(3)}})
    EXPECT_EQ(Met::decode(body_of<Met>(met.encode())), std::unexpected(AlertCode::malformed));
}

TEST(Meeting, EveryOtherLengthIsMalformed) {
  for (std::size_t size = 0; size < 40; ++size) {
    if (size != Meet::kSize) {
      EXPECT_FALSE(Meet::decode(Buffer(size)));
    }
    if (size != Met::kSize) {
      EXPECT_FALSE(Met::decode(Buffer(size)));
    }
  }
}

}  // namespace
}  // namespace pake::channel
