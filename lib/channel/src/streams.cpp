#include "streams.h"

#include <algorithm>
#include <utility>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::channel {
namespace {

constexpr std::uint32_t kMaxCredit = 0x7fff'ffff;
constexpr std::size_t kMaxServiceSize = 255;
constexpr std::size_t kShortFrame = 4096;  // a DATA frame is cut to less than this only if nothing precedes it

constexpr auto kViolation = std::unexpected(Errc::malformed);

std::uint32_t credit_due(const Stream& stream) noexcept { return stream.window - stream.held - stream.credit; }

Status accept(bool within_the_rules) noexcept {
  if (!within_the_rules) return kViolation;
  return {};
}

}  // namespace

// --- The table.

Streams::Table::const_iterator Streams::lower_bound(StreamId id) const noexcept {
  return std::ranges::lower_bound(table_, id, {}, [](const auto& stream) { return stream->id; });
}

Stream* Streams::find(StreamId id) const noexcept {
  const auto found = lower_bound(id);
  return found != table_.end() && (*found)->id == id ? found->get() : nullptr;
}

Stream& Streams::add(StreamId id) {
  auto& stream = **table_.insert(lower_bound(id), std::make_unique<Stream>(id));
  last_number_[opener_of(id)] = id;
  ++open_[opener_of(id)];
  ++unreleased_;
  return stream;
}

/// After a change that may have been the last one.
void Streams::erase_if_over(Stream& stream) noexcept {
  if (!stream.own_side_ended() || !stream.peers_side_ended()) return;
  if (std::exchange(stream.counts, false)) --open_[opener_of(stream.id)];
  if (!stream.released) return;
  control_.remove(stream);
  data_.remove(stream);
  written_.remove(stream);
  table_.erase(lower_bound(stream.id));
  if (table_.empty()) table_ = Table();  // an idle channel holds no memory
}

void Streams::clear() noexcept { *this = Streams(role_); }

// --- The application's side.

Result<StreamId> Streams::open(Bytes service, Bytes argument) {
  if (service.size() > kMaxServiceSize) return fail(Errc::misuse);
  if (1 + service.size() + argument.size() > kMaxOpenSize) return fail(Errc::misuse);
  const auto last = last_number_[own_numbers()];
  const auto number = last == 0 ? (role_ == Role::client ? 1 : 2) : last + 2;
  if (table_.size() >= kMaxStreams || number < last) return fail(Errc::exhausted);
  auto& stream = add(number);
  stream.opening = Writer(1 + service.size() + argument.size()).put_lp1(service).put(argument).take();
  control_.push_back(stream);
  return stream.id;
}

Status Streams::write(StreamId id, Bytes bytes) noexcept {
  auto* stream = find(id);
  if (stream == nullptr || !stream->accepts_writes() || !stream->to_send.empty()) return fail(Errc::misuse);
  if (stream->peer_has_reset) return fail(Errc::unavailable);
  if (bytes.empty()) return {};
  stream->to_send = bytes;
  ++writing_;
  schedule(*stream);
  return {};
}

Bytes Streams::unsent(StreamId id) const noexcept {
  const auto* stream = find(id);
  return stream == nullptr ? Bytes{} : stream->to_send;
}

Bytes Streams::withdraw(StreamId id) noexcept {
  auto* stream = find(id);
  if (stream == nullptr || stream->to_send.empty()) return {};
  const auto rest = std::exchange(stream->to_send, {});
  --writing_;
  data_.remove(*stream);
  schedule(*stream);
  return rest;
}

Status Streams::finish(StreamId id) noexcept {
  auto* stream = find(id);
  if (stream == nullptr || !stream->accepts_writes()) return fail(Errc::misuse);
  if (stream->peer_has_reset) return fail(Errc::unavailable);
  stream->send = SendState::finishing;
  schedule(*stream);
  return {};
}

void Streams::reset(StreamId id, ResetCode code) noexcept {
  auto* stream = find(id);
  if (stream == nullptr || stream->released) return;
  stop_sending(*stream);
  drop_unread(*stream);
  if (stream->own_side_ended() && stream->peers_side_ended()) {
    stream->reset = ResetState::sent;  // nobody need be told, and nothing more is shown
  } else {
    demand_reset(*stream, code);
  }
}

void Streams::release(StreamId id) noexcept {
  auto* stream = find(id);
  if (stream == nullptr || std::exchange(stream->released, true)) return;
  --unreleased_;
  if (!stream->to_send.empty()) stop_sending(*stream);
  drop_unread(*stream);
  const bool all_said = stream->send != SendState::send;
  if (!all_said || !stream->peers_side_ended()) demand_reset(*stream, ResetCode::cancelled);
  erase_if_over(*stream);
}

Bytes Streams::unread(StreamId id) const noexcept {
  const auto* stream = find(id);
  if (stream == nullptr) return {};
  return current_.stream == stream ? current_.bytes : stream->buffer.unread();
}

void Streams::consume(StreamId id, std::size_t size) noexcept {
  auto* stream = find(id);
  if (stream == nullptr) return;
  size = std::min(size, unread(id).size());
  if (size == 0) return;
  if (current_.stream == stream) {
    current_.bytes = current_.bytes.subspan(size);
    if (current_.bytes.empty()) current_ = {};
  } else {
    stream->buffer.consume(size);
  }
  stream->held -= static_cast<std::uint32_t>(size);
  if (stream->peers_side_ended()) return shrink(*stream);
  grant(*stream, static_cast<std::uint32_t>(size));
}

std::size_t Streams::buffered() const noexcept {
  std::size_t sum = 0;
  for (const auto& stream : table_) sum += stream->buffer.unread().size();
  return sum;
}

// --- What this side sends.

void Streams::schedule(Stream& stream) noexcept {
  if (stream.has_something_to_send()) data_.push_back(stream);
}

void Streams::stop_sending(Stream& stream) noexcept {
  if (!std::exchange(stream.to_send, {}).empty()) --writing_;
  if (stream.send == SendState::finishing) stream.send = SendState::send;
  data_.remove(stream);
  written_.remove(stream);
}

void Streams::demand_reset(Stream& stream, ResetCode code) noexcept {
  if (stream.reset != ResetState::none) return;
  stream.reset = ResetState::due;
  stream.reset_code = code;
  shrink(stream);
  control_.push_back(stream);
}

void Streams::fill(StreamFrameWriter& writer) {
  while (auto* stream = control_.front()) {
    if (!put_control(*stream, writer)) return;
    control_.remove(*stream);
    erase_if_over(*stream);
  }
  while (auto* stream = data_.front()) {
    if (!put_data(*stream, writer)) return;
    data_.remove(*stream);
    schedule(*stream);
    erase_if_over(*stream);
  }
}

/// False where something did not fit.
bool Streams::put_control(Stream& stream, StreamFrameWriter& writer) noexcept {
  if (!stream.opening.empty()) {
    if (!writer.put(StreamFrameType::open, stream.id, {stream.opening})) return false;
    stream.opening = Buffer();
  }
  if (stream.window_due != 0) {
    if (!writer.put_u32(StreamFrameType::window, stream.id, stream.window_due)) return false;
    stream.window_due = 0;
  }
  if (stream.reset == ResetState::due) {
    if (stream.send == SendState::finishing) {  // all that there was to say is said: the peer shall know
      if (!writer.put(StreamFrameType::fin, stream.id, {})) return false;
      stream.send = SendState::data_sent;
    }
    const auto code = static_cast<std::uint8_t>(stream.reset_code);
    if (!writer.put(StreamFrameType::reset, stream.id, {{&code, 1}})) return false;
    stream.reset = ResetState::sent;
    if (stream.send == SendState::send) stream.send = SendState::reset_sent;
  }
  return true;
}

/// One turn of the stream: at most one DATA frame, and the FIN if that was the last. False where something did not fit.
bool Streams::put_data(Stream& stream, StreamFrameWriter& writer) noexcept {
  if (!stream.to_send.empty()) {
    const auto wanted = std::min<std::size_t>(stream.to_send.size(), stream.send_credit);
    const auto size = std::min(wanted, writer.room());
    if (size < wanted && size < kShortFrame && (size == 0 || writer.size() != 0)) return false;
    if (!writer.put(StreamFrameType::data, stream.id, {stream.to_send.first(size)})) return false;
    stream.to_send = stream.to_send.subspan(size);
    stream.send_credit -= static_cast<std::uint32_t>(size);
    if (!stream.to_send.empty()) return true;
    --writing_;
    written_.push_back(stream);
  }
  if (stream.send == SendState::finishing) {
    if (!writer.put(StreamFrameType::fin, stream.id, {})) return false;
    stream.send = SendState::data_sent;
  }
  return true;
}

// --- What the peer sends: first applied, all frames of a record, then told.

Status Streams::apply(const StreamFrame& frame) {
  if (frame.type == StreamFrameType::open) return apply_open(frame);
  const bool may_come_late = frame.type == StreamFrameType::window || frame.type == StreamFrameType::reset;
  auto* stream = find(frame.stream);
  if (stream == nullptr) return accept(may_come_late && frame.stream <= last_number_[opener_of(frame.stream)]);
  if (!stream->opening.empty() || stream->peer_has_reset || (stream->peers_side_ended() && !may_come_late))
    return kViolation;
  switch (frame.type) {
    case StreamFrameType::data:
      return apply_data(*stream, frame.payload.size());
    case StreamFrameType::window:
      return apply_window(*stream, decode_u32(frame.payload));
    case StreamFrameType::fin:
      apply_fin(*stream);
      return {};
    case StreamFrameType::reset:
      apply_reset(*stream);
      return {};
    default:
      return kViolation;
  }
}

Status Streams::apply_open(const StreamFrame& frame) {
  const auto opener = opener_of(frame.stream);
  const bool in_order = opener != own_numbers() && frame.stream > last_number_[opener];
  if (!in_order || open_[opener] >= kMaxStreams) return kViolation;
  PAKE_TRYV(Reader(frame.payload).take_lp1());
  const bool refused = unreleased_ >= kMaxStreams || open_[0] + open_[1] >= kMaxStreams;
  auto& stream = add(frame.stream);
  if (!refused) return {};
  stream.released = true;
  --unreleased_;
  demand_reset(stream, ResetCode::too_many);
  return {};
}

Status Streams::apply_data(Stream& stream, std::size_t size) noexcept {
  if (size > stream.credit) return kViolation;
  stream.credit -= static_cast<std::uint32_t>(size);
  if (!stream.discards_input()) stream.held += static_cast<std::uint32_t>(size);
  return {};
}

Status Streams::apply_window(Stream& stream, std::uint32_t increment) noexcept {
  if (increment == 0 || increment > kMaxCredit - stream.send_credit) return kViolation;
  stream.send_credit += increment;
  schedule(stream);
  return {};
}

void Streams::apply_fin(Stream& stream) noexcept {
  stream.recv = RecvState::size_known;
  shrink(stream);
  erase_if_over(stream);
}

void Streams::apply_reset(Stream& stream) noexcept {
  stream.peer_has_reset = true;
  stop_sending(stream);
  if (stream.recv == RecvState::recv) {
    stream.recv = RecvState::reset_recvd;
    drop_unread(stream);
  }
  erase_if_over(stream);
}

std::optional<Event> Streams::event_of(const StreamFrame& frame) {
  auto* stream = find(frame.stream);
  if (stream == nullptr || stream->released) return std::nullopt;
  switch (frame.type) {
    case StreamFrameType::open: {
      Reader reader(frame.payload);
      const auto service = reader.take_lp1();
      return Opened{.stream = stream->id, .service = service.value_or(Bytes{}), .argument = reader.rest()};
    }
    case StreamFrameType::data:
      if (stream->discards_input()) return std::nullopt;
      if (stream->buffer.empty()) {
        current_ = {.stream = stream, .bytes = frame.payload};
      } else {
        stream->buffer.append(frame.payload, stream->window);
      }
      return Readable{stream->id};
    case StreamFrameType::fin:
      if (stream->discards_input()) return std::nullopt;
      return Finished{stream->id};
    case StreamFrameType::reset: {
      if (stream->reset != ResetState::none) return std::nullopt;
      const auto code = frame.payload[0] <= std::to_underlying(ResetCode::too_many) ? frame.payload[0] : 0;
      return WasReset{.stream = stream->id, .code = static_cast<ResetCode>(code)};
    }
    default:
      return std::nullopt;
  }
}

void Streams::buffer_unread() {
  const auto current = std::exchange(current_, {});
  if (current.stream != nullptr) current.stream->buffer.append(current.bytes, current.stream->window);
}

std::optional<Event> Streams::next_written() noexcept {
  auto* stream = written_.front();
  if (stream == nullptr) return std::nullopt;
  written_.remove(*stream);
  return Written{stream->id};
}

std::optional<Event> Streams::next_cut() noexcept {
  for (const auto& stream : table_) {
    if (stream->peers_side_ended() || stream->discards_input()) continue;
    apply_reset(*stream);
    return WasReset{.stream = stream->id, .code = ResetCode::cancelled};
  }
  return std::nullopt;
}

// --- Credit. held + credit never exceeds the window, and the windows beyond what is each stream's own never the pool.

void Streams::drop_unread(Stream& stream) noexcept {
  stream.buffer.clear();
  stream.held = 0;
  if (current_.stream == &stream) current_ = {};
  shrink(stream);
}

/// Gives back to the pool what the stream has of it and cannot use any more.
void Streams::shrink(Stream& stream) noexcept {
  const bool nothing_to_come = stream.peers_side_ended() || stream.discards_input();
  const auto window = std::max(kInitialStreamWindow, nothing_to_come ? stream.held : stream.window);
  pool_used_ -= stream.window - window;
  stream.window = window;
}

/// The application has taken bytes: the peer may send as many, told in portions of a quarter of the window at least.
/// The window doubles once all of it was used and the application has kept pace, as long as the pool keeps as much
/// again for others: one stream alone comes to 2 MiB.
void Streams::grant(Stream& stream, std::uint32_t taken) noexcept {
  if (stream.discards_input()) return;
  stream.taken_since_growth += taken;
  if (stream.taken_since_growth >= stream.window && stream.held == 0) {
    stream.taken_since_growth = 0;
    if (stream.window <= (kSharedWindow - pool_used_) / 2) {
      pool_used_ += stream.window;
      stream.window *= 2;
    }
  }
  const auto due = credit_due(stream);
  if (due >= stream.window / 4) tell_credit(stream, due);
}

void Streams::tell_credit(Stream& stream, std::uint32_t due) noexcept {
  stream.credit += due;
  stream.window_due += due;
  control_.push_back(stream);
}

bool Streams::tell_credit() noexcept {
  bool is_any = false;
  for (const auto& stream : table_) {
    if (stream->peers_side_ended() || stream->discards_input()) continue;
    const auto due = credit_due(*stream);
    if (due == 0) continue;
    tell_credit(*stream, due);
    is_any = true;
  }
  return is_any;
}

}  // namespace pake::channel
