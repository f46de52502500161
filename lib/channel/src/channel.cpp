#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "channel_impl.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::channel {
namespace {

constexpr std::array kAwaitedOfAServer = {
    kAwaitedRecords[0], kAwaitedRecords[1],
    AwaitedFrame{.type = FrameType::alert, .min_body = Alert::kSize, .max_body = Alert::kSize}};

constexpr std::size_t kCloseSize = 1;

Errc error_of(EndReason end) noexcept {
  switch (end) {
    case EndReason::not_authentic:
    case EndReason::refused:
      return Errc::auth_failed;
    case EndReason::violation:
      return Errc::malformed;
    case EndReason::exhausted:
      return Errc::exhausted;
    case EndReason::closed:
    case EndReason::cut:
    case EndReason::silent:
    case EndReason::peer_failed:
    case EndReason::not_delivered:
    case EndReason::unanswered:
    case EndReason::aborted:
      return Errc::unavailable;
  }
  std::abort();
}

EndReason end_of(Errc record_error) noexcept {
  switch (record_error) {
    case Errc::auth_failed:
      return EndReason::not_authentic;
    case Errc::exhausted:
      return EndReason::exhausted;
    default:
      return EndReason::violation;
  }
}

CloseCode decode_close(std::uint8_t code) noexcept {
  return code <= std::to_underlying(CloseCode::not_delivered) ? static_cast<CloseCode>(code)
                                                              : CloseCode::internal_error;
}

/// The side that sends it has not failed.
bool is_orderly(CloseCode code) noexcept { return code == CloseCode::done || code == CloseCode::going_away; }

}  // namespace

std::string_view to_string(EndReason end) noexcept {
  switch (end) {
    case EndReason::closed:
      return "closed";
    case EndReason::cut:
      return "cut";
    case EndReason::silent:
      return "silent";
    case EndReason::refused:
      return "refused";
    case EndReason::not_authentic:
      return "not_authentic";
    case EndReason::violation:
      return "violation";
    case EndReason::peer_failed:
      return "peer_failed";
    case EndReason::exhausted:
      return "exhausted";
    case EndReason::not_delivered:
      return "not_delivered";
    case EndReason::unanswered:
      return "unanswered";
    case EndReason::aborted:
      return "aborted";
  }
  std::abort();
}

// --- What arrives.

/// What every call says once the channel has failed.
std::optional<Errc> Channel::Impl::failure() const noexcept {
  if (!end_ || *end_ == EndReason::closed) return std::nullopt;
  return error_of(*end_);
}

/// The channel is over. The peer is told if `close` says so.
std::unexpected<Errc> Channel::Impl::fail_with(EndReason end, std::optional<CloseCode> close) noexcept {
  end_ = end;
  streams_.clear();
  undelivered_ = {};
  close_due_ = close;
  return fail(error_of(end));
}

Result<std::size_t> Channel::Impl::receive(MutableBytes incoming, Instant now) {
  if (const auto error = failure()) return fail(*error);
  if (close_read_) return 0;
  if (!undelivered_.empty()) return fail(Errc::misuse);
  streams_.buffer_unread();

  const bool may_be_refused = role_ == Role::client && opener_.sequence() == 0;
  const auto frame =
      may_be_refused ? leading_frame(incoming, kAwaitedOfAServer) : leading_frame(incoming, kAwaitedRecords);
  if (!frame) return fail_with(EndReason::violation, CloseCode::rules_broken);
  if (!*frame) return 0;
  const auto size = (*frame)->whole.size();
  if ((*frame)->type == FrameType::alert) return receive_alert((*frame)->body);

  const auto record = opener_.open(incoming.first(size));
  if (!record) return fail_with(end_of(record.error()), CloseCode::rules_broken);
  last_record_ = now;
  ping_ = Ping::none;
  if (record->type == FrameType::close) {
    PAKE_TRYV(receive_close(decode_close(record->plaintext[0])));
  } else {
    if (!apply(record->plaintext)) return fail_with(EndReason::violation, CloseCode::rules_broken);
    undelivered_ = record->plaintext;
  }
  return size;
}

std::unexpected<Errc> Channel::Impl::receive_alert(Bytes body) noexcept {
  const auto alert = Alert::decode(body);
  if (!alert) return fail_with(EndReason::violation);
  alert_ = *alert;
  return fail_with(EndReason::refused);
}

Status Channel::Impl::receive_close(CloseCode code) noexcept {
  close_read_ = code;
  if (!is_orderly(code))
    return fail_with(code == CloseCode::not_delivered ? EndReason::not_delivered : EndReason::peer_failed,
                     close_sent_ ? std::nullopt : std::optional(CloseCode::done));
  if (close_sent_) end_ = EndReason::closed;
  return {};
}

/// All frames of a record, before the application is told of any: of a record that breaks the rules it sees nothing.
Status Channel::Impl::apply(Bytes plaintext) {
  while (!plaintext.empty()) {
    PAKE_TRY(const auto frame, take_stream_frame(plaintext));
    PAKE_TRYV(frame.stream == 0 ? apply_to_channel(frame) : streams_.apply(frame));
    if (frame.type != StreamFrameType::ping && frame.type != StreamFrameType::pong) heard_since_sent_ = true;
  }
  return {};
}

Status Channel::Impl::apply_to_channel(const StreamFrame& frame) noexcept {
  if (frame.type == StreamFrameType::ping) std::ranges::copy(frame.payload, pong_due_.emplace().begin());
  if (frame.type == StreamFrameType::ticket && role_ != Role::client) return fail(Errc::malformed);
  return {};
}

std::optional<Event> Channel::Impl::next_event() {
  streams_.buffer_unread();
  while (!undelivered_.empty()) {
    const auto frame = take_stream_frame(undelivered_);
    if (!frame) std::abort();  // `apply` has read it
    if (auto event = event_of(*frame)) return event;
  }
  if (auto event = streams_.next_written()) return event;
  if (!close_read_ || close_told_ || failure()) return std::nullopt;
  if (auto event = streams_.next_cut()) return event;
  close_told_ = true;
  return Closed{*close_read_};
}

std::optional<Event> Channel::Impl::event_of(const StreamFrame& frame) {
  if (frame.type == StreamFrameType::ticket)
    return TicketArrived{.lifetime = decode_u32(frame.payload), .ticket = frame.payload.subspan(4)};
  return streams_.event_of(frame);
}

Status Channel::Impl::end_of_input() noexcept {
  if (const auto error = failure()) return fail(*error);
  if (close_read_) return {};
  return fail_with(EndReason::cut);
}

// --- What is sent.

std::size_t Channel::Impl::produce(MutableBytes out, Instant now) {
  std::size_t size = 0;
  while (const auto more = produce_record(out.subspan(size))) size += more;
  if (size != 0) {
    last_sent_ = now;
    heard_since_sent_ = false;
  }
  return size;
}

std::size_t Channel::Impl::produce_record(MutableBytes room) {
  if (close_sent_ || room.size() < kRecordOverhead + kCloseSize) return 0;
  if (!end_ && sealer_.remaining() == 1 && has_frames())
    static_cast<void>(fail_with(EndReason::exhausted, CloseCode::going_away));  // the last number is the Close's
  if (!end_ && !closes_at_once()) {
    StreamFrameWriter writer(
        room.subspan(FrameHeader::kSize, std::min(room.size() - kRecordOverhead, kMaxPlaintextSize)));
    fill(writer);
    if (writer.size() != 0) return seal(FrameType::data, room, writer.size());
  }
  if (!may_close()) return 0;
  room[FrameHeader::kSize] = std::to_underlying(*close_due_);
  close_sent_ = true;
  if (!end_ && close_read_) end_ = EndReason::closed;
  return seal(FrameType::close, room, kCloseSize);
}

std::size_t Channel::Impl::seal(FrameType type, MutableBytes room, std::size_t plaintext_size) {
  const auto size = plaintext_size + kRecordOverhead;
  if (!sealer_.seal(type, room.first(size))) std::abort();  // the sizes are ours, and a number was left
  return size;
}

void Channel::Impl::fill(StreamFrameWriter& writer) {
  if (pong_due_ && writer.put(StreamFrameType::pong, 0, {*pong_due_})) pong_due_.reset();
  if (ping_ == Ping::due && writer.put(StreamFrameType::ping, 0, {std::array<std::uint8_t, kPingSize>{}}))
    ping_ = Ping::sent;
  if (ticket_due_ && writer.put(StreamFrameType::ticket, 0, {*ticket_due_})) ticket_due_.reset();
  streams_.fill(writer);
}

bool Channel::Impl::has_frames() const noexcept {
  return pong_due_ || ping_ == Ping::due || ticket_due_ || streams_.has_frames();
}

bool Channel::Impl::closes_at_once() const noexcept { return close_due_ && !is_orderly(*close_due_); }

/// Who has failed closes at once; another one when all is sent, or nothing more will be taken.
bool Channel::Impl::may_close() const noexcept {
  if (!close_due_ || close_sent_) return false;
  return end_ || closes_at_once() || (!has_frames() && (close_read_ || !streams_.has_unsent()));
}

bool Channel::Impl::wants_to_send() const noexcept { return !close_sent_ && (may_close() || (!end_ && has_frames())); }

Status Channel::Impl::can_send() const noexcept {
  if (end_ || close_read_) return fail(Errc::unavailable);
  if (close_due_) return fail(Errc::misuse);
  return {};
}

void Channel::Impl::close(CloseCode code, Instant deadline) noexcept {
  if (end_) return;
  if (!close_due_ || (!close_sent_ && is_orderly(*close_due_) && !is_orderly(code))) close_due_ = code;
  close_deadline_ = std::min(close_deadline_, deadline);
}

void Channel::Impl::abort() noexcept {
  if (end_) {
    close_due_.reset();
  } else {
    static_cast<void>(fail_with(EndReason::aborted));
  }
}

Status Channel::Impl::send_ticket(std::uint32_t lifetime, Bytes ticket) {
  if (role_ != Role::server || ticket.empty() || ticket.size() > kMaxTicketSize || ticket_due_)
    return fail(Errc::misuse);
  // A peer that has closed still reads what comes before our own Close.
  if (end_) return fail(Errc::unavailable);
  if (close_due_) return fail(Errc::misuse);
  ticket_due_ = std::make_unique<const Buffer>(Writer(4 + ticket.size()).u32(lifetime).put(ticket).take());
  return {};
}

// --- Life.

void Channel::Impl::tick(Instant now) noexcept {
  if (end_) return;
  if (now >= close_deadline_) {
    static_cast<void>(fail_with(EndReason::unanswered));
    return;
  }
  const auto silence = now - last_record_;
  if (!close_read_ && silence >= kGiveUpAfter) {
    static_cast<void>(fail_with(EndReason::silent));
    return;
  }
  if (!close_read_ && silence >= kPingAfter && ping_ == Ping::none) ping_ = Ping::due;
  if (owes_sign_of_life() && now - last_sent_ >= kPingAfter && !streams_.tell_credit()) pong_due_.emplace();
}

/// The peer sends, or has closed and waits, and hears nothing: not even that its bytes arrive.
bool Channel::Impl::owes_sign_of_life() const noexcept {
  return (heard_since_sent_ || close_read_) && !close_sent_ && !has_frames();
}

Instant Channel::Impl::deadline() const noexcept {
  if (end_) return Instant::max();
  auto next = close_deadline_;
  if (!close_read_) next = std::min(next, last_record_ + (ping_ == Ping::none ? kPingAfter : kGiveUpAfter));
  if (owes_sign_of_life()) next = std::min(next, last_sent_ + kPingAfter);
  return next;
}

// --- The door.

Channel::Channel(ChannelKeys keys, Role role, KeyCache& cache, Instant now)
    : impl_(std::make_unique<Impl>(std::move(keys), role, cache, now)) {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() = default;

Result<std::size_t> Channel::receive(MutableBytes incoming, Instant now) { return impl_->receive(incoming, now); }
std::optional<Event> Channel::next_event() { return impl_->next_event(); }
std::size_t Channel::produce(MutableBytes out, Instant now) { return impl_->produce(out, now); }
bool Channel::wants_to_send() const noexcept { return impl_->wants_to_send(); }
Status Channel::end_of_input() noexcept { return impl_->end_of_input(); }
void Channel::tick(Instant now) noexcept { impl_->tick(now); }
Instant Channel::deadline() const noexcept { return impl_->deadline(); }
std::optional<EndReason> Channel::end() const noexcept { return impl_->end_; }
std::optional<CloseCode> Channel::peer_close() const noexcept { return impl_->close_read_; }
std::optional<Alert> Channel::alert() const noexcept { return impl_->alert_; }
void Channel::close(CloseCode code, Instant deadline) { impl_->close(code, deadline); }
void Channel::abort() noexcept { impl_->abort(); }

Result<StreamId> Channel::open(Bytes service, Bytes argument) {
  PAKE_TRYV(impl_->can_send());
  return impl_->streams_.open(service, argument);
}
Status Channel::write(StreamId stream, Bytes bytes) {
  PAKE_TRYV(impl_->can_send());
  return impl_->streams_.write(stream, bytes);
}
Status Channel::finish(StreamId stream) {
  PAKE_TRYV(impl_->can_send());
  return impl_->streams_.finish(stream);
}
Bytes Channel::unsent(StreamId stream) const noexcept { return impl_->streams_.unsent(stream); }
Bytes Channel::withdraw(StreamId stream) noexcept { return impl_->streams_.withdraw(stream); }
void Channel::reset(StreamId stream, ResetCode code) noexcept { impl_->streams_.reset(stream, code); }
void Channel::release(StreamId stream) noexcept { impl_->streams_.release(stream); }
Bytes Channel::unread(StreamId stream) const noexcept { return impl_->streams_.unread(stream); }
void Channel::consume(StreamId stream, std::size_t size) noexcept { impl_->streams_.consume(stream, size); }
Status Channel::send_ticket(std::uint32_t lifetime, Bytes ticket) { return impl_->send_ticket(lifetime, ticket); }
const ResumptionSecret& Channel::resumption_secret() const noexcept { return impl_->resumption_secret_; }
Status Channel::export_keying_material(std::string_view label, Bytes context, MutableBytes out) const noexcept {
  return channel::export_keying_material(impl_->exporter_secret_, label, context, out);
}
Status Channel::export_keying_material(InternalLabel label, Bytes context, MutableBytes out) const noexcept {
  return channel::export_keying_material(impl_->exporter_secret_, label, context, out);
}
std::size_t Channel::buffered() const noexcept { return impl_->streams_.buffered(); }

}  // namespace pake::channel
