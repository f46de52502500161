#include "pake/channel/meeting.h"

#include <algorithm>
#include <utility>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::channel {
namespace {

constexpr std::string_view kMagic = "pake";
constexpr auto kMalformed = std::unexpected(AlertCode::malformed);

Buffer whole_frame(FrameType type, Bytes body) {
  const FrameHeader header{.type = type, .length = static_cast<std::uint32_t>(body.size())};
  return Writer(FrameHeader::kSize + body.size()).put(header.encode()).put(body).take();
}

bool is_zero(const MeetingToken& token) noexcept { return token == MeetingToken{}; }

// Which fields an action has; the others are zero.
bool is_consistent(const Meet& meet) noexcept {
  const bool has_selector = meet.selector < kMeetingSelectors;
  const bool has_tries = meet.tries >= 1 && meet.tries <= kMaxMeetingTries;
  switch (meet.action) {
    case MeetAction::create:
      return has_tries && meet.selector == 0 && is_zero(meet.token);
    case MeetAction::join:
      return meet.tries == 0 && has_selector && is_zero(meet.token);
    case MeetAction::resume:
      return meet.tries == 0 && has_selector;
    case MeetAction::keep:
      return has_tries && has_selector && !is_zero(meet.token);
  }
  return false;
}

bool is_consistent(const Met& met) noexcept {
  if (met.selector >= kMeetingSelectors) return false;
  return met.event == MetEvent::waiting || (met.event == MetEvent::joined && is_zero(met.token));
}

}  // namespace

Buffer Meet::encode() const {
  Writer body(kSize);
  body.put(as_bytes(kMagic)).u8(kVersion).u8(std::to_underlying(action)).u8(tries).u32(selector).put(token);
  return whole_frame(FrameType::meet, body.bytes());
}

Decoded<Meet> Meet::decode(Bytes body) noexcept {
  if (body.size() != kSize || as_text(body.first(kMagic.size())) != kMagic) return kMalformed;
  if (body[kMagic.size()] != kVersion) return std::unexpected(AlertCode::unsupported);
  Reader reader(body.subspan(kMagic.size() + 1));
  Meet meet;
  meet.action = static_cast<MeetAction>(reader.u8().value_or(0));
  meet.tries = reader.u8().value_or(0);
  meet.selector = reader.u32().value_or(0);
  std::ranges::copy(reader.rest(), meet.token.begin());
  if (!is_consistent(meet)) return kMalformed;
  return meet;
}

Buffer Met::encode() const {
  Writer body(kSize);
  body.u8(kVersion).u8(std::to_underlying(event)).u32(selector).put(token);
  return whole_frame(FrameType::met, body.bytes());
}

Decoded<Met> Met::decode(Bytes body) noexcept {
  if (body.size() != kSize) return kMalformed;
  if (body[0] != kVersion) return std::unexpected(AlertCode::unsupported);
  Reader reader(body.subspan(1));
  Met met;
  met.event = static_cast<MetEvent>(reader.u8().value_or(0));
  met.selector = reader.u32().value_or(0);
  std::ranges::copy(reader.rest(), met.token.begin());
  if (!is_consistent(met)) return kMalformed;
  return met;
}

}  // namespace pake::channel
