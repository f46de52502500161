#include "application.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <variant>

#include "pake/testing/fixed_rng.h"

namespace pake::channel::simulator {
namespace {

constexpr std::size_t kMostWritten = 300'000;  // bytes a stream and direction
constexpr std::size_t kTextBegins = 65'536;    // a stream's text begins below this
constexpr std::uint32_t kTicketLifetime = 3600;

std::string name_of(StreamId stream) { return "stream " + std::to_string(stream); }

Buffer ticket_of(const Traffic& traffic) { return Buffer(1 + traffic.seed % 512, 0x7e); }

}  // namespace

std::string describe(const Traffic& traffic) {
  static constexpr std::array kClosers = {"client", "server", "both", "client abruptly", "server abruptly"};
  return std::to_string(traffic.streams) + " streams, " + std::to_string(traffic.turns) + " turns, writes up to " +
         std::to_string(traffic.largest_write) + (traffic.breaks_off ? ", resets" : "") +
         (traffic.pauses ? ", pauses" : "") + (traffic.sends_ticket ? ", a ticket" : "") + ", closed by " +
         kClosers.at(static_cast<std::size_t>(traffic.closer)) + (traffic.never_closes ? ", unanswered" : "");
}

Bytes text_of(const Traffic& traffic, Role writer, StreamId stream) {
  static const Buffer text = [] {
    Buffer bytes(kTextBegins + kMostWritten);
    pake::testing::SeededRng(1992).fill(bytes);
    return bytes;
  }();
  const auto begin =
      (traffic.seed + 1'000'003 * std::uint64_t{stream} + (writer == Role::client ? 0 : 32'771)) % kTextBegins;
  return Bytes(text).subspan(static_cast<std::size_t>(begin), kMostWritten);
}

Application::Application(Role role, const Traffic& traffic)
    : role_(role),
      traffic_(traffic),
      draw_(traffic.seed * 2 + (role == Role::client ? 0 : 1)),
      turns_left_(traffic.turns),
      last_turn_(draw_.below(traffic.turns + 1)),
      is_ticket_due_(traffic.sends_ticket && role == Role::server) {}

bool Application::closes_gently() const noexcept {
  if (never_closes()) return false;
  return traffic_.closer == Traffic::Closer::both ||
         traffic_.closer == (role_ == Role::client ? Traffic::Closer::client : Traffic::Closer::server);
}

bool Application::closes_abruptly() const noexcept {
  if (never_closes()) return false;
  return traffic_.closer ==
         (role_ == Role::client ? Traffic::Closer::client_abruptly : Traffic::Closer::server_abruptly);
}

Instant Application::next_turn() const noexcept {
  return turns_left_ == 0 ? Instant::max() : next_turn_.value_or(Instant::max());
}

// --- What it does.

void Application::act(Channel& channel, Instant now) {
  if (!next_turn_) next_turn_ = now;
  for (; turns_left_ != 0 && now >= *next_turn_; --turns_left_) {
    take_turn(channel, now);
    const auto milliseconds = traffic_.pauses && draw_.one_in(8) ? draw_.between(14'000, 50'000) : draw_.skewed(60);
    *next_turn_ += std::chrono::milliseconds(milliseconds);
  }
  if (turns_left_ == 0) wind_up(channel, now);
}

void Application::take_turn(Channel& channel, Instant now) {
  if (closes_abruptly() && turns_left_ == last_turn_)
    return close(channel, draw_.one_in(2) ? CloseCode::done : CloseCode::going_away, now);
  if (draw_.one_in(4)) send_ticket(channel);
  if (role_ == Role::client && flows_.size() < traffic_.streams && (flows_.empty() || draw_.one_in(3))) open(channel);
  if (flows_.empty()) return;
  auto& [stream, flow] = *std::next(flows_.begin(), static_cast<std::ptrdiff_t>(draw_.below(flows_.size())));
  if (flow.is_released) return;
  const auto what = draw_.below(20);
  if (what < 10) return write(channel, stream, flow);
  if (what < 17) return read(channel, stream, flow, draw_.skewed(kMostWritten));
  if (what < 18) return finish(channel, stream, flow);
  if (!traffic_.breaks_off) return;
  if (what < 19) return release(channel, stream, flow);
  channel.reset(stream, ResetCode::cancelled);
  flow.is_broken_off = true;
  flow.is_writing = false;
}

/// Lets everything come to its end.
void Application::wind_up(Channel& channel, Instant now) {
  send_ticket(channel);
  if (closes_abruptly() && !has_closed_) close(channel, CloseCode::done, now);
  while (role_ == Role::client && flows_.size() < traffic_.streams && !has_closed_ && !peer_has_closed_) open(channel);
  for (auto& [stream, flow] : flows_) {
    if (flow.is_released) continue;
    read(channel, stream, flow, kMostWritten);
    finish(channel, stream, flow);
    if (flow.is_over()) release(channel, stream, flow);
  }
  const bool all_over = flows_.size() == traffic_.streams &&
                        std::ranges::all_of(flows_, [](const auto& each) { return each.second.is_over(); });
  if (closes_gently() && all_over && !has_closed_) close(channel, CloseCode::done, now);
}

void Application::open(Channel& channel) {
  const auto number = static_cast<StreamId>(2 * flows_.size() + 1);
  const auto stream = channel.open(as_bytes(name_of(number)));
  if (stream && *stream == number) {
    flows_[*stream];
  } else if (!has_closed_ && !peer_has_closed_) {
    complaints_.push_back("a stream could not be opened");
    traffic_.streams = flows_.size();
  }
}

void Application::write(Channel& channel, StreamId stream, Flow& flow) {
  if (flow.is_writing || flow.is_finished || flow.is_broken_off) return;
  const auto size = std::min(draw_.skewed(traffic_.largest_write), kMostWritten - flow.written);
  if (!channel.write(stream, text_of(traffic_, role_, stream).subspan(flow.written, size))) return;
  flow.written += size;
  flow.is_writing = size != 0;
}

void Application::finish(Channel& channel, StreamId stream, Flow& flow) {
  if (!flow.is_finished && !flow.is_broken_off && channel.finish(stream)) flow.is_finished = true;
}

void Application::read(Channel& channel, StreamId stream, Flow& flow, std::size_t most) {
  const auto text = text_of(traffic_, role_ == Role::client ? Role::server : Role::client, stream);
  while (most != 0) {
    const auto unread = channel.unread(stream);
    const auto bytes = unread.first(std::min(unread.size(), most));
    if (bytes.empty()) return;
    has_heard_ = true;
    flow.is_right = flow.is_right && flow.read + bytes.size() <= text.size() &&
                    std::ranges::equal(bytes, text.subspan(flow.read, bytes.size()));
    if (!flow.is_right) return;
    flow.read += bytes.size();
    most -= bytes.size();
    channel.consume(stream, bytes.size());
  }
}

void Application::release(Channel& channel, StreamId stream, Flow& flow) {
  if (!flow.is_over()) flow.is_broken_off = true;
  channel.release(stream);
  flow.is_released = true;
  flow.is_writing = false;
}

void Application::close(Channel& channel, CloseCode code, Instant now) {
  channel.close(code, traffic_.never_closes ? now + kCloseTime : Instant::max());
  has_closed_ = true;
  closed_at_ = now;
  turns_left_ = std::min<std::size_t>(turns_left_, 1);  // the caller counts this one down
}

void Application::send_ticket(Channel& channel) {
  if (!is_ticket_due_ || has_closed_ || peer_has_closed_) return;
  if (!channel.send_ticket(kTicketLifetime, ticket_of(traffic_))) complaints_.push_back("a ticket could not be sent");
  is_ticket_due_ = false;
}

// --- What it is told.

void Application::on(Channel& channel, const Event& event) {
  std::visit([&](const auto& what) { hear(channel, what); }, event);
}

Flow* Application::find(StreamId stream) {
  const auto found = flows_.find(stream);
  if (found != flows_.end() && !found->second.is_released) return &found->second;
  complaints_.push_back("an event for " + name_of(stream) + ", which there is not");
  return nullptr;
}

void Application::hear(Channel&, const Opened& opened) {
  has_heard_ = true;
  if (role_ != Role::server || !flows_.try_emplace(opened.stream).second ||
      as_text(opened.service) != name_of(opened.stream) || !opened.argument.empty())
    complaints_.push_back(name_of(opened.stream) + " came as \"" + std::string(as_text(opened.service)) + "\"");
}

void Application::hear(Channel& channel, const Readable& readable) {
  auto* flow = find(readable.stream);
  if (flow != nullptr && draw_.one_in(2)) read(channel, readable.stream, *flow, draw_.skewed(kMostWritten));
}

void Application::hear(Channel& channel, const Finished& finished) {
  has_heard_ = true;
  if (auto* flow = find(finished.stream)) flow->whole = flow->read + channel.unread(finished.stream).size();
}

void Application::hear(Channel&, const WasReset& was_reset) {
  if (auto* flow = find(was_reset.stream)) {
    flow->was_reset = true;
    flow->is_writing = false;
  }
}

void Application::hear(Channel&, const Written& written) {
  if (auto* flow = find(written.stream)) flow->is_writing = false;
}

void Application::hear(Channel&, const TicketArrived& ticket) {
  has_heard_ = true;
  const bool is_sent = role_ == Role::client && traffic_.sends_ticket && ticket.lifetime == kTicketLifetime &&
                       std::ranges::equal(ticket.ticket, ticket_of(traffic_));
  if (!is_sent) complaints_.emplace_back("a ticket that nobody sent");
}

void Application::hear(Channel& channel, const Closed&) {
  peer_has_closed_ = true;
  turns_left_ = 0;
  if (!never_closes()) channel.close(CloseCode::done);
}

}  // namespace pake::channel::simulator
