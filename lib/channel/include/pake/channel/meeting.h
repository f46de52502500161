// How two strangers meet behind a server that they have no account with: docs/wire.md, section 15. These frames stand
// in place of a ClientHello and its answer; what follows the second one the server relays and cannot read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/channel/frame.h"
#include "pake/channel/messages.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// Selectors are below this. In the `code` channel between the two, the ClientHello's `name` is the selector in decimal
/// digits, without leading zeros, and `server_name` is empty.
inline constexpr std::uint32_t kMeetingSelectors = 1U << 20U;
inline constexpr std::uint8_t kMaxMeetingTries = 5;

/// Known to the server and to the side that waits: a later connection shows by it that it is the same side.
using MeetingToken = std::array<std::uint8_t, 16>;

enum class MeetAction : std::uint8_t {  // on the wire: never renumber
  create = 1,                           // wait for somebody under a selector that the server allots
  join = 2,                             // be led to whoever waits under that selector
  resume = 3,                           // wait again under it: the last who came did not know the code, or was cut
  keep = 4,                             // who came knew it: both may come back, `tries` times, when they are cut
};

/// From the side that has connected, as its first frame.
///   magic "pake" (4) || version (1) || action (1) || tries (1) || selector (4) || token (16)
struct Meet {
  static constexpr std::size_t kSize = 27;

  MeetAction action{};
  std::uint8_t tries = 0;      // create: how many may be led to this side, 1 to 5; keep: how many more. Else 0
  std::uint32_t selector = 0;  // join, resume, keep. Else 0
  MeetingToken token{};        // resume, keep (not zeros). Else zeros

  /// The whole frame, 31 bytes.
  [[nodiscard]] Buffer encode() const;
  [[nodiscard]] static Decoded<Meet> decode(Bytes body) noexcept;
  friend bool operator==(const Meet&, const Meet&) = default;
};

enum class MetEvent : std::uint8_t {  // on the wire: never renumber
  waiting = 1,                        // to who waits: under this selector, with this token; again after Meet resume. To
                                      // who keeps a meeting: it is kept
  joined = 2,                         // to both: every byte behind this frame comes from the other side
};

/// From the server, once or, to who waits, twice. In its place, and at any time before `joined`: an Alert.
///   version (1) || event (1) || selector (4) || token (16)
struct Met {
  static constexpr std::size_t kSize = 22;

  MetEvent event{};
  std::uint32_t selector = 0;
  MeetingToken token{};  // waiting. Else zeros

  /// The whole frame, 26 bytes.
  [[nodiscard]] Buffer encode() const;
  [[nodiscard]] static Decoded<Met> decode(Bytes body) noexcept;
  friend bool operator==(const Met&, const Met&) = default;
};

/// What a server that offers meetings awaits from a new connection, beside a ClientHello.
inline constexpr AwaitedFrame kAwaitedMeet = {
    .type = FrameType::meet, .min_body = Meet::kSize, .max_body = Meet::kSize};
/// What a side that has sent a Meet awaits.
inline constexpr AwaitedFrame kAwaitedOfAMeetingPoint[] = {
    {.type = FrameType::met, .min_body = Met::kSize, .max_body = Met::kSize},
    {.type = FrameType::alert, .min_body = Alert::kSize, .max_body = Alert::kSize}};

}  // namespace pake::channel

PAKE_EXPORT_END
