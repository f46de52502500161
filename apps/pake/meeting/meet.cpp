#include "meeting/meet.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>
#include <variant>

#include "network/problems.h"
#include "pake/channel/frame.h"
#include "pake/channel/server_handshake.h"
#include "pake/crypto/rng.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/handshake.h"
#include "pake/proto/guess.h"
#include "process/output.h"

namespace pake::cli::meeting {
namespace {

using channel::Alert;
using channel::AlertCode;
using channel::Meet;
using channel::MeetAction;
using channel::Met;
using channel::MetEvent;

constexpr std::chrono::minutes kLongest{10};  // that a server lets somebody wait
constexpr std::chrono::seconds kAnswer{10};   // of the server
constexpr std::chrono::seconds kReturn{20};   // within which who comes back is let in
constexpr std::chrono::milliseconds kPause{500};

using Answer = std::variant<Met, Alert>;

Problem interrupted() { return {.error = "interrupted"}; }

Problem no_answer(const MeetingPoint& point, const net::Error& error) {
  if (error == net::Error::Kind::cancelled) return interrupted();
  if (error == net::Error::Kind::reset && error.reset_code == channel::ResetCode::no_such_service)
    return {
        .exit_code = kExitService,
        .error = fmt::format("{} lets nobody meet: it has no service called {}", point.name(), point.options().service),
        .hint = fmt::format("its operator can offer one: pake serve --service {}=meet; --via-service names another",
                            point.options().service)};
  if (error == net::Error::Kind::reset && error.reset_code != channel::ResetCode::cancelled) return stream_ended(error);
  return {.exit_code = kExitCutShort,
          .error = fmt::format("the connection to {} broke off: {}", point.name(), error.explain())};
}

Problem not_a_server(const MeetingPoint& point) {
  return {.exit_code = kExitProtocol,
          .error = fmt::format("what answers at {} does not speak this protocol", point.name())};
}

// What the server says instead of leading anybody anywhere; `refused` is what its plain no means here.
Problem told(const MeetingPoint& point, const Alert& alert, Problem refused) {
  switch (alert.code) {
    case AlertCode::refused:
      return refused;
    case AlertCode::throttled:
      return {.exit_code = kExitThrottled,
              .error = fmt::format("{} lets this side meet nobody for now, too many tries or too many who wait: try "
                                   "again in {} s",
                                   point.name(), alert.retry_after)};
    case AlertCode::unknown_server:
      return {.exit_code = kExitService,
              .error = fmt::format("{} lets no strangers meet", point.name()),
              .hint = "with an account there: --via NAME@HOST; its operator lets strangers meet by pake serve --meet"};
    case AlertCode::unavailable:
      return {.exit_code = kExitUnreachable, .error = fmt::format("{} is shutting down", point.name())};
    case AlertCode::unsupported:
    case AlertCode::malformed:
      break;
  }
  return {.exit_code = kExitProtocol, .error = fmt::format("{} refused us: {}", point.name(), to_string(alert.code))};
}

Problem nobody_came() {
  return {.exit_code = kExitCutShort,
          .error = "nobody has come, and the server lets nobody wait longer",
          .hint = "run it again for another code"};
}

net::Awaitable<net::Outcome<void>> fill(net::Stream& stream, MutableBytes into, net::Deadline deadline) {
  while (!into.empty()) {
    const auto count = co_await stream.read_some(into, deadline);
    if (!count) co_return std::unexpected(count.error());
    into = into.subspan(*count);
  }
  co_return net::Outcome<void>();
}

// Reads one frame and not a byte more: what follows is the other side's.
net::Awaitable<Expected<Answer>> read_answer(const MeetingPoint& point, net::Stream& stream, net::Deadline deadline) {
  Buffer frame(channel::FrameHeader::kSize);
  if (const auto header = co_await fill(stream, frame, deadline); !header)
    co_return std::unexpected(no_answer(point, header.error()));
  const auto& awaited = channel::kAwaitedOfAMeetingPoint;
  if (!channel::leading_frame(frame, awaited)) co_return std::unexpected(not_a_server(point));
  const auto length = channel::FrameHeader::decode(Bytes(frame).first<channel::FrameHeader::kSize>()).length;
  frame.resize(channel::FrameHeader::kSize + length);
  if (const auto body = co_await fill(stream, MutableBytes(frame).subspan(channel::FrameHeader::kSize), deadline);
      !body)
    co_return std::unexpected(no_answer(point, body.error()));
  const auto whole = channel::leading_frame(frame, awaited);
  if (!whole || !*whole) co_return std::unexpected(not_a_server(point));
  if ((*whole)->type == channel::FrameType::met) {
    const auto met = Met::decode((*whole)->body);
    if (!met) co_return std::unexpected(not_a_server(point));
    co_return *met;
  }
  const auto alert = Alert::decode((*whole)->body);
  if (!alert) co_return std::unexpected(not_a_server(point));
  co_return *alert;
}

struct Asked {
  std::unique_ptr<net::Stream> stream;
  Answer answer;
};

// A new connection, and what the server says to `meet`.
net::Awaitable<Expected<Asked>> ask(net::Loop& loop, MeetingPoint& point, Meet meet) {
  PAKE_CO_TRY(auto stream, co_await point.connect(loop));
  const auto frame = meet.encode();
  if (const auto sent = co_await stream->write_all(frame, net::after(kAnswer)); !sent)
    co_return std::unexpected(no_answer(point, sent.error()));
  PAKE_CO_TRY(auto answer, co_await read_answer(point, *stream, net::after(kAnswer)));
  co_return Asked{.stream = std::move(stream), .answer = std::move(answer)};
}

const Met* met_as(const Answer& answer, MetEvent event) {
  const auto* const met = std::get_if<Met>(&answer);
  return met != nullptr && met->event == event ? met : nullptr;
}

net::Awaitable<Expected<void>> until_joined(const MeetingPoint& point, Place& place) {
  // The server ends it; a little later this side does.
  auto answer = co_await read_answer(point, *place.stream, place.until + kAnswer);
  if (!answer && net::Clock::now() >= place.until) co_return std::unexpected(nobody_came());
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (const auto* const alert = std::get_if<Alert>(&*answer))
    co_return std::unexpected(told(point, *alert, nobody_came()));
  if (met_as(*answer, MetEvent::joined) == nullptr) co_return std::unexpected(not_a_server(point));
  co_return Expected<void>();
}

Problem used_up(bool was_tried, const std::string& start) {
  if (was_tried)
    return {.exit_code = kExitAuthFailed,
            .error = "wrong code, or somebody is in between",
            .hint = fmt::format("the code is used up: run `{}` again for another one", start)};
  return {.exit_code = kExitCutShort,
          .error = "somebody came and left without trying the code",
          .hint = fmt::format("the server leads nobody else here: run `{}` again for another code", start)};
}

}  // namespace

net::Awaitable<Expected<Place>> take_place(net::Loop& loop, MeetingPoint& point, std::size_t tries) {
  PAKE_CO_TRY(auto asked,
              co_await ask(loop, point, {.action = MeetAction::create, .tries = static_cast<std::uint8_t>(tries)}));
  if (const auto* const alert = std::get_if<Alert>(&asked.answer))
    co_return std::unexpected(
        told(point, *alert, {.exit_code = kExitService, .error = fmt::format("{} refused us", point.name())}));
  const auto* const met = met_as(asked.answer, MetEvent::waiting);
  if (met == nullptr) co_return std::unexpected(not_a_server(point));
  co_return Place{
      .selector = met->selector, .token = met->token, .until = net::after(kLongest), .stream = std::move(asked.stream)};
}

std::string connected_through(const MeetingPoint& point) {
  return fmt::format("connected: both sides know the code; all passes through {}, which cannot read it", point.name());
}

std::string connected_directly(const net::Address& peer) {
  return fmt::format("connected: both sides know the code; all passes directly, the other side is {}",
                     net::to_string(peer));
}

net::Awaitable<Expected<void>> return_to(net::Loop& loop, MeetingPoint& point, Place& place, net::Deadline deadline) {
  for (;;) {
    auto asked =
        co_await ask(loop, point, {.action = MeetAction::resume, .selector = place.selector, .token = place.token});
    const auto* const alert = asked ? std::get_if<Alert>(&asked->answer) : nullptr;
    if (asked && met_as(asked->answer, MetEvent::waiting) != nullptr) {
      place.stream = std::move(asked->stream);
      co_return Expected<void>();
    }
    if (asked && alert == nullptr) co_return std::unexpected(not_a_server(point));
    const bool may_pass = alert != nullptr
                              ? alert->code == AlertCode::throttled
                              : asked.error().exit_code == kExitUnreachable || asked.error().exit_code == kExitCutShort;
    if (!may_pass || net::Clock::now() + kPause >= deadline || !co_await loop.sleep_until(net::after(kPause))) {
      if (!asked) co_return std::unexpected(std::move(asked.error()));
      co_return std::unexpected(
          told(point, *alert,
               {.exit_code = kExitCutShort, .error = fmt::format("{} leads nobody here any more", point.name())}));
    }
  }
}

net::Awaitable<bool> keep(net::Loop& loop, MeetingPoint& point, const Place& place) {
  const auto asked = co_await ask(loop, point,
                                  {.action = MeetAction::keep,
                                   .tries = channel::kMaxMeetingTries,
                                   .selector = place.selector,
                                   .token = place.token});
  co_return asked&& met_as(asked->answer, MetEvent::waiting) != nullptr;
}

net::Awaitable<Expected<pipe::AuthenticatedPeer>> wait_for_peer(net::Loop& loop, MeetingPoint& point, Place& place,
                                                                const SecretBuffer& secret, channel::KeyCache& cache,
                                                                WaitOptions options) {
  crypto::SystemRng rng;
  GuessBudget budget(options.tries);
  const net::ServerSide side{
      .config = {},
      .decide = [&](const channel::ClientRequest& request) -> net::Awaitable<channel::Decision> {
        const bool is_for_us = request.kind == channel::HandshakeKind::code && request.server_name.empty() &&
                               as_text(request.name) == options.name;
        if (!is_for_us) co_return Alert{.code = AlertCode::unknown_server};
        auto permit = budget.take();
        if (!permit) co_return Alert{.code = AlertCode::throttled};
        co_return channel::CodeAnswer{.code = SecretBuffer::copy_of(secret.reveal()), .permit = *std::move(permit)};
      },
      .rng = rng,
      .cache = cache};
  for (std::size_t left = options.tries;;) {
    PAKE_CO_TRYV(co_await until_joined(point, place));
    const auto before = budget.available();
    auto accepted = co_await net::accept_channel(loop, place.stream, side);
    if (accepted)
      co_return pipe::AuthenticatedPeer{.address = point.options().login.destination.address,
                                        .link = std::move(accepted->link)};
    if (accepted.error().error == net::Error::Kind::cancelled) co_return std::unexpected(interrupted());
    // The server counts everybody whom it has led here.
    const bool was_tried = budget.available() < before;
    if (--left == 0) co_return std::unexpected(used_up(was_tried, options.start));
    if (!options.start.empty())
      say_note(fmt::format("somebody tried a wrong code, or left without proving the right one: {} {} left", left,
                           left == 1 ? "try is" : "tries are"));
    place.stream->shutdown_write();
    place.stream.reset();
    PAKE_CO_TRYV(co_await return_to(loop, point, place, net::after(kReturn)));
  }
}

net::Awaitable<Expected<std::unique_ptr<net::Stream>>> join(net::Loop& loop, MeetingPoint& point,
                                                            const std::string& selector, net::Deadline deadline) {
  std::uint32_t number = channel::kMeetingSelectors;
  std::from_chars(selector.data(), selector.data() + selector.size(), number);
  const Problem nobody{.exit_code = kExitUnreachable,
                       .error = fmt::format("nobody waits under {} at {}", selector, point.name()),
                       .hint = "a code is good for ten minutes and for one meeting: ask for a new one"};
  if (number >= channel::kMeetingSelectors) co_return std::unexpected(nobody);
  for (;;) {
    PAKE_CO_TRY(auto asked, co_await ask(loop, point, {.action = MeetAction::join, .selector = number}));
    if (met_as(asked.answer, MetEvent::joined) != nullptr) co_return std::move(asked.stream);
    const auto* const alert = std::get_if<Alert>(&asked.answer);
    if (alert == nullptr) co_return std::unexpected(not_a_server(point));
    const auto pause = std::chrono::seconds(std::max<std::uint32_t>(alert->retry_after, 1));
    if (alert->code != AlertCode::throttled || net::Clock::now() + pause >= deadline)
      co_return std::unexpected(told(point, *alert, nobody));
    if (!co_await loop.sleep_until(net::after(pause))) co_return std::unexpected(interrupted());
  }
}

}  // namespace pake::cli::meeting
