#include "connection_handler.h"

#include <algorithm>
#include <array>
#include <utility>

#include "enrolment_session.h"
#include "forwarding_stream.h"
#include "meetings.h"
#include "pake/channel/frame.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/server/proxy_protocol.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kSweep = 1s;
constexpr auto kProxyHeaderTime = 5s;

/// A stream of which one byte has been read already.
class Unread final : public ForwardingStream {
 public:
  Unread(std::unique_ptr<net::Stream> stream, std::uint8_t first)
      : ForwardingStream(*stream), stream_(std::move(stream)), first_(first) {}
  net::Awaitable<net::Outcome<std::size_t>> read_some(MutableBytes into, net::Deadline deadline) override {
    if (!first_) return ForwardingStream::read_some(into, deadline);
    return read_first(into);
  }

 private:
  net::Awaitable<net::Outcome<std::size_t>> read_first(MutableBytes into) {
    into.front() = *first_;
    first_.reset();
    co_return std::size_t{1};
  }

  std::unique_ptr<net::Stream> stream_;
  std::optional<std::uint8_t> first_;
};

}  // namespace

// Of the loop on which it is called.
ConnectionHandler::Lane& ConnectionHandler::lane(net::Loop& loop) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(lanes_, &loop, [](const auto& each) { return &each->loop; });
  if (found != lanes_.end()) return **found;
  lanes_.push_back(std::make_unique<Lane>(loop));
  loop.spawn(sweep(shared_from_this(), *lanes_.back()));
  return *lanes_.back();
}

net::Awaitable<void> ConnectionHandler::sweep(std::shared_ptr<ConnectionHandler> self, Lane& lane) {
  while (co_await lane.loop.sleep_until(net::after(kSweep))) {
    const auto now = net::Clock::now();
    self->state_->meetings.sweep(self->state_->config()->limits, now);
    for (auto* const session : std::set(lane.sessions)) session->look_at_time(now);
  }
}

net::Awaitable<void> ConnectionHandler::serve(std::shared_ptr<ConnectionHandler> self, net::Caller caller) {
  ++self->state_->counters.connections;
  auto& lane = self->lane(caller.loop());
  auto source = co_await self->find_source(caller);
  if (!source) co_return;
  std::unique_ptr<net::Stream> stream;
  caller.wrap([&](std::unique_ptr<net::Stream> own) {
    stream = self->follow_ ? self->follow_(std::move(own)) : std::move(own);
    return std::make_unique<ForwardingStream>(*stream);
  });
  const auto hello_by = net::after(net::HandshakeTimeouts().hello);
  auto timeouts = net::HandshakeTimeouts();
  if (self->state_->config()->strangers_meet) {
    std::array<std::uint8_t, 1> first{};
    if (!co_await stream->read_some(first, hello_by)) co_return;
    stream = std::make_unique<Unread>(std::move(stream), first.front());
    if (first.front() == std::to_underlying(channel::FrameType::meet))
      co_return co_await meet(self, caller, std::move(stream), *source, hello_by);
    timeouts.hello = std::max(1ms, std::chrono::ceil<std::chrono::milliseconds>(hello_by - net::Clock::now()));
  }
  Visit visit(self->state_, lane.loop, caller, *source);
  const net::ServerSide side{.config = {.ticket_keys = self->state_->accounts->keyring()->ticket_keys(wall_now())},
                             .decide = [&](const channel::ClientRequest& request) { return visit.decide(request); },
                             .rng = *self->state_->rng,
                             .cache = lane.cache,
                             .timeouts = timeouts};
  auto accepted = co_await self->handshake_(lane.loop, stream, side);
  caller.end_waiting();
  if (!accepted) stream.reset();  // the client need not wait for what follows
  co_await visit.conclude(accepted ? nullptr : &accepted.error());
  if (!accepted) co_return;
  if (visit.entered_by() == EnteredBy::code)
    co_return co_await serve_enrolment(self->state_, lane.loop, visit, *accepted);
  static_cast<void>(caller.take_stream());  // it leads to what the link owns now
  auto session = self->make_session(lane, visit, std::move(*accepted));
  lane.loop.spawn(carry(self, lane, std::move(session), std::move(caller)));
}

// A stranger who has come to meet another one. He is silent until his frame is whole.
net::Awaitable<void> ConnectionHandler::meet(std::shared_ptr<ConnectionHandler> self, net::Caller& caller,
                                             std::unique_ptr<net::Stream> stream, const net::Address& source,
                                             net::Deadline deadline) {
  const auto asked = co_await read_meet(*stream, deadline);
  if (!asked) co_return;
  caller.end_waiting();
  auto& state = *self->state_;
  ++state.counters.meetings;
  co_await serve_meeting(state.meetings, caller.loop(), std::move(stream), *asked, net::Source(source).text(),
                         state.config()->limits);
}

// Through a proxy that is trusted, its header says where the client is.
net::Awaitable<std::optional<net::Address>> ConnectionHandler::find_source(net::Caller& caller) {
  auto& stream = caller.stream();
  if (!state_->config()->trusted_proxies.contains(stream.peer())) co_return stream.peer();
  const auto deadline = net::after(kProxyHeaderTime);
  Buffer header(kProxyPrefixSize);
  std::size_t have = 0;
  while (have < header.size()) {
    const auto count = co_await stream.read_some(MutableBytes(header).subspan(have), deadline);
    if (!count) co_return std::nullopt;
    have += *count;
    if (have != kProxyPrefixSize) continue;
    const auto size = proxy_header_size(header);
    if (!size) co_return no_proxy_header(stream);
    header.resize(*size);
  }
  const auto told = decode_proxy_header(header);
  if (!told) co_return no_proxy_header(stream);
  if (!*told) co_return stream.peer();
  const net::Address source = **told;
  caller.comes_from(net::Source(source));
  co_return source;
}

std::nullopt_t ConnectionHandler::no_proxy_header(const net::Stream& stream) {
  state_->log()->write(LogLevel::warning, "no-proxy-header",
                       {{.key = "source", .value = net::to_string(stream.peer())}});
  return std::nullopt;
}

std::shared_ptr<ServedSession> ConnectionHandler::make_session(Lane& lane, const Visit& visit,
                                                               net::ServerChannel channel) {
  const auto now = wall_now();
  SessionFacts facts{.id = state_->sessions.next_id(),
                     .user = visit.user(),
                     .by = visit.entered_by(),
                     .source = net::to_string(visit.source()),
                     .since = now};
  const auto session = std::make_shared<ServedSession>(state_, lane.loop, visit.config(), std::move(channel.link),
                                                       std::move(facts), visit.generation(), visit.source(),
                                                       next_ticket(visit, channel.outcome), visit.device_place());
  if (const auto& record = visit.record()) session->has_record(*record);
  return session;
}

// A session that is idle is this frame and little more: what its handshake needed is gone.
net::Awaitable<void> ConnectionHandler::carry(std::shared_ptr<ConnectionHandler> self, Lane& lane,
                                              std::shared_ptr<ServedSession> session, net::Caller caller) {
  lane.sessions.insert(session.get());
  session->begin();
  session->ended(co_await session->link().run());
  lane.sessions.erase(session.get());
}

// A chain of tickets lives as long as the first one, from the login by password on, and names one device.
channel::TicketFacts ConnectionHandler::next_ticket(const Visit& visit, const channel::ServerOutcome& outcome) {
  channel::TicketFacts ticket{.name = to_buffer(as_bytes(visit.user())),
                              .server_name = visit.server_name(),
                              .generation = visit.generation(),
                              .login_time = seconds_since_1970(wall_now())};
  if (outcome.ticket) {
    ticket.login_time = outcome.ticket->login_time;
    ticket.device = outcome.ticket->device;
  } else if (visit.device()) {
    ticket.device = *visit.device();
  } else {
    state_->rng->fill(ticket.device);
  }
  ticket.expiry = ticket.login_time + static_cast<std::uint64_t>(visit.config()->limits.ticket_lifetime.count());
  return ticket;
}

}  // namespace pake::server
