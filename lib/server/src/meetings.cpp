#include "meetings.h"

#include <algorithm>
#include <utility>

#include "pake/base/ct.h"
#include "pake/channel/frame.h"
#include "pake/crypto/rng.h"
#include "pake/net/coroutine.h"
#include "pake/net/relay.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using channel::Alert;
using channel::AlertCode;
using channel::MeetAction;
using channel::Met;
using channel::MetEvent;

constexpr std::uint32_t kSoon = 2;  // seconds: another is just being tried
constexpr std::uint32_t kLater = 60;
constexpr auto kAnswerTime = 10s;

Alert throttled(std::uint32_t seconds) { return {.code = AlertCode::throttled, .retry_after = seconds}; }

std::uint32_t seconds_of(std::chrono::nanoseconds wait) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count()));
}

}  // namespace

void Meetings::forget_old(Instant now) {
  std::erase_if(by_selector_, [&](const auto& entry) {
    const auto& meeting = entry.second;
    return meeting.until <= now && (meeting.seat.expired() || (!meeting.is_waiting && !meeting.talk));
  });
}

bool Meetings::is_over(const Meeting& meeting, Instant now) {
  return meeting.until <= now && !(meeting.is_kept && meeting.talk);
}

void Meetings::make_room(const std::string& source) {
  std::size_t count = 0;
  auto first = by_selector_.end();
  for (auto it = by_selector_.begin(); it != by_selector_.end(); ++it) {
    const auto& meeting = it->second;
    if (meeting.source != source || meeting.talk) continue;
    ++count;
    if (!meeting.is_waiting && (first == by_selector_.end() || meeting.until < first->second.until)) first = it;
  }
  if (count >= kWaitingOfASource && first != by_selector_.end()) by_selector_.erase(first);
}

std::uint32_t Meetings::draw(Rng& rng) const {
  std::array<std::uint8_t, 4> drawn{};
  rng.fill(drawn);
  std::uint32_t selector = 0;
  for (const auto byte : drawn) selector = selector << 8U | byte;
  selector %= channel::kMeetingSelectors;                                                          // a power of two
  while (by_selector_.contains(selector)) selector = (selector + 1) % channel::kMeetingSelectors;  // half are free
  return selector;
}

std::optional<Alert> Meetings::over_the_top(const std::string& source, const Limits& limits, Instant now) const {
  if (by_selector_.size() >= std::min<std::size_t>(limits.meetings, channel::kMeetingSelectors / 2))
    return throttled(kLater);
  std::size_t count = 0;
  auto first = Instant::max();
  for (const auto& [selector, meeting] : by_selector_) {
    if (meeting.source != source || meeting.talk) continue;
    ++count;
    first = std::min(first, meeting.until);
  }
  if (count >= kWaitingOfASource) return throttled(seconds_of(first - now));
  return std::nullopt;
}

std::variant<Meetings::Waiting, Alert> Meetings::wait(const channel::Meet& meet, const std::string& source,
                                                      const std::shared_ptr<Seat>& seat, net::Loop& loop,
                                                      const Limits& limits, Now now, Rng& rng) {
  const std::scoped_lock lock(mutex_);
  if (is_draining_) return Alert{.code = AlertCode::unavailable};
  forget_old(now.instant);
  auto selector = meet.selector;
  if (meet.action == MeetAction::create) {
    make_room(source);
    if (const auto alert = over_the_top(source, limits, now.instant)) return *alert;
    selector = draw(rng);
    auto& made = by_selector_[selector];
    made.source = source;
    made.tries = meet.tries;
    made.until = now.instant + kWait;
    rng.fill(made.token);
  }
  const auto found = by_selector_.find(selector);
  const bool is_his = found != by_selector_.end() && !is_over(found->second, now.instant) &&
                      (meet.action == MeetAction::create || ct_equal(found->second.token, meet.token));
  if (!is_his) {
    charge_failed_join(source, now.wall);
    return Alert{.code = AlertCode::refused};
  }
  auto& meeting = found->second;
  if (meeting.is_waiting) return throttled(kSoon);  // his last connection is still there
  if (meeting.tries == 0) return Alert{.code = AlertCode::refused};
  if (meeting.talk && meeting.is_kept) meeting.until = now.instant + kWait;
  if (meeting.talk) meeting.talk->cut();
  meeting.talk.reset();
  meeting.seat = seat;
  meeting.loop = &loop;
  meeting.is_waiting = true;
  return Waiting{.selector = selector, .token = meeting.token, .until = meeting.until};
}

std::variant<Meetings::Waiting, Alert> Meetings::keep(const channel::Meet& meet) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_selector_.find(meet.selector);
  // No guess at a token is worth counting; who comes after the end of a short talk has done nothing wrong.
  if (found == by_selector_.end() || !found->second.talk || !ct_equal(found->second.token, meet.token))
    return Alert{.code = AlertCode::refused};
  auto& meeting = found->second;
  meeting.is_kept = true;
  meeting.tries = meet.tries;
  return Waiting{.selector = meet.selector, .token = meeting.token, .until = meeting.until};
}

std::variant<std::unique_ptr<net::Stream>, Alert> Meetings::join(std::uint32_t selector, const std::string& source,
                                                                 net::Loop& loop, const Limits& limits, Now now) {
  const std::scoped_lock lock(mutex_);
  if (is_draining_) return Alert{.code = AlertCode::unavailable};
  const auto failed = failed_joins_.find(source);
  if (failed != failed_joins_.end() && store::guesses_left(kFailedJoins, failed->second, now.wall) < 1)
    return throttled(seconds_of(store::wait_until_left(kFailedJoins, failed->second, 1, now.wall)));
  forget_old(now.instant);
  const auto found = by_selector_.find(selector);
  if (found == by_selector_.end() || is_over(found->second, now.instant) || found->second.tries == 0) {
    charge_failed_join(source, now.wall);
    return Alert{.code = AlertCode::refused};
  }
  auto& meeting = found->second;
  if (!meeting.is_waiting) return throttled(kSoon);
  auto bridge = make_bridge(loop, *meeting.loop, net::UnixAddress{}, limits.meeting_bytes);
  meeting.is_waiting = false;
  --meeting.tries;
  meeting.talk = bridge.cut;
  meeting.talks_since = now.instant;
  meeting.loop->post(
      meeting.seat,
      [](Seat& seat, std::unique_ptr<net::Stream> other) {
        seat.other = std::move(other);
        seat.stream.interrupt();
      },
      std::move(bridge.second));
  return std::move(bridge.first);
}

void Meetings::leave(std::uint32_t selector, const std::shared_ptr<Seat>& seat, Instant now) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_selector_.find(selector);
  if (found == by_selector_.end() || found->second.seat.lock() != seat) return;  // he has come back meanwhile
  auto& meeting = found->second;
  const bool goes_on = meeting.is_kept && meeting.talk;
  meeting.is_waiting = false;
  meeting.talk.reset();
  meeting.seat.reset();
  meeting.until = goes_on ? now + kWait : std::min(meeting.until, now + kResume);
  if (meeting.tries == 0 || meeting.until <= now) by_selector_.erase(found);
}

void Meetings::sweep(const Limits& limits, Instant now) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [selector, meeting] : by_selector_)
    if (meeting.talk && now - meeting.talks_since >= limits.meeting_time) meeting.talk->cut();
  forget_old(now);
}

void Meetings::drain() {
  const std::scoped_lock lock(mutex_);
  is_draining_ = true;
  for (const auto& [selector, meeting] : by_selector_)
    if (meeting.is_waiting) meeting.loop->post(meeting.seat, [](Seat& seat) { seat.stream.interrupt(); });
}

std::size_t Meetings::waiting() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(by_selector_, [](const auto& entry) { return entry.second.is_waiting; }));
}

std::size_t Meetings::talking() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(by_selector_, [](const auto& entry) { return entry.second.talk.has_value(); }));
}

void Meetings::charge_failed_join(const std::string& source, store::Time now) {
  if (failed_joins_.size() >= kSources && !failed_joins_.contains(source)) {
    std::erase_if(failed_joins_, [&](const auto& entry) { return entry.second.full_at <= now; });
    if (failed_joins_.size() >= kSources)
      failed_joins_.erase(
          std::ranges::min_element(failed_joins_, {}, [](const auto& entry) { return entry.second.full_at; }));
  }
  auto& row = failed_joins_[source];
  row = store::charged(row, {.refill_interval = kFailedJoins.refill_interval}, now);
}

namespace {

net::Awaitable<bool> tell(net::Stream& stream, Buffer frame) {
  co_return (co_await stream.write_all(frame, net::after(kAnswerTime))).has_value();
}

net::Awaitable<void> turn_away(std::unique_ptr<net::Stream> stream, Alert alert) {
  if (co_await tell(*stream, alert.encode())) stream->shutdown_write();
}

Meetings::Now now() {
  return {.instant = net::Clock::now(),
          .wall = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())};
}

/// Leaves when it goes, however the coroutine ends.
class Place {
 public:
  Place(Meetings& meetings, std::uint32_t selector, std::shared_ptr<Seat> seat)
      : meetings_(meetings), selector_(selector), seat_(std::move(seat)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { meetings_.leave(selector_, seat_, net::Clock::now()); }

 private:
  Meetings& meetings_;
  std::uint32_t selector_;
  std::shared_ptr<Seat> seat_;
};

net::Awaitable<void> wait_for_somebody(Meetings& meetings, net::Loop& loop, std::unique_ptr<net::Stream> stream,
                                       channel::Meet meet, std::string source, Limits limits) {
  const auto seat = std::make_shared<Seat>(*stream);
  crypto::SystemRng rng;
  const auto given = meetings.wait(meet, source, seat, loop, limits, now(), rng);
  if (const auto* const alert = std::get_if<Alert>(&given)) co_return co_await turn_away(std::move(stream), *alert);
  const auto& waiting = std::get<Meetings::Waiting>(given);
  const Place place(meetings, waiting.selector, seat);
  if (!co_await tell(*stream,
                     Met{.event = MetEvent::waiting, .selector = waiting.selector, .token = waiting.token}.encode()))
    co_return;
  // He has nothing to say before somebody is there.
  std::array<std::uint8_t, 1> early{};
  const auto woken = co_await stream->read_some(early, waiting.until);
  if (!seat->other) {
    if (woken) co_return co_await turn_away(std::move(stream), {.code = AlertCode::malformed});
    if (woken.error() == net::Error::Kind::timed_out)
      co_return co_await turn_away(std::move(stream), {.code = AlertCode::refused});
    if (woken.error() == net::Error::Kind::interrupted)
      co_return co_await turn_away(std::move(stream), {.code = AlertCode::unavailable});
    co_return;
  }
  if (woken) co_return co_await turn_away(std::move(stream), {.code = AlertCode::malformed});
  if (!co_await tell(*stream, Met{.event = MetEvent::joined, .selector = waiting.selector}.encode())) co_return;
  static_cast<void>(co_await net::relay(loop, std::move(stream), std::move(seat->other)));
}

}  // namespace

net::Awaitable<void> serve_meeting(Meetings& meetings, net::Loop& loop, std::unique_ptr<net::Stream> stream,
                                   channel::Meet meet, std::string source, Limits limits) {
  if (meet.action == MeetAction::keep) {
    const auto given = meetings.keep(meet);
    if (const auto* const alert = std::get_if<Alert>(&given)) co_return co_await turn_away(std::move(stream), *alert);
    if (co_await tell(*stream,
                      Met{.event = MetEvent::waiting, .selector = meet.selector, .token = meet.token}.encode()))
      stream->shutdown_write();
    co_return;
  }
  if (meet.action != MeetAction::join)
    co_return co_await wait_for_somebody(meetings, loop, std::move(stream), meet, std::move(source), limits);
  auto given = meetings.join(meet.selector, source, loop, limits, now());
  if (const auto* const alert = std::get_if<Alert>(&given)) co_return co_await turn_away(std::move(stream), *alert);
  auto other = std::get<std::unique_ptr<net::Stream>>(std::move(given));
  if (!co_await tell(*stream, Met{.event = MetEvent::joined, .selector = meet.selector}.encode())) co_return;
  static_cast<void>(co_await net::relay(loop, std::move(stream), std::move(other)));
}

net::Awaitable<std::optional<channel::Meet>> read_meet(net::Stream& stream, net::Deadline deadline) {
  Buffer frame(channel::FrameHeader::kSize + channel::Meet::kSize);
  std::size_t have = 0;
  while (have < frame.size()) {
    const auto count = co_await stream.read_some(MutableBytes(frame).subspan(have), deadline);
    if (!count) co_return std::nullopt;
    have += *count;
    if (!channel::leading_frame(Bytes(frame).first(have), {&channel::kAwaitedMeet, 1})) break;
  }
  channel::Decoded<channel::Meet> meet = std::unexpected(AlertCode::malformed);
  if (const auto whole = channel::leading_frame(Bytes(frame).first(have), {&channel::kAwaitedMeet, 1}); whole && *whole)
    meet = channel::Meet::decode((*whole)->body);
  if (meet) co_return *meet;
  static_cast<void>(co_await tell(stream, Alert{.code = meet.error()}.encode()));
  co_return std::nullopt;
}

}  // namespace pake::server
