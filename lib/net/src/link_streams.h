// Private to the room: a channel's streams, and what else it tells its application. Used in channel_link.cpp alone.
#pragma once

#include <algorithm>
#include <cerrno>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "link_base.h"
#include "pake/internal/try.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"

namespace pake::net {

/// What a coroutine that uses a stream waits on. Shared by the link, which sets it, and the ChannelStream.
struct StreamState {
  explicit StreamState(Loop& loop) : readable(loop), written(loop) {}

  Signal readable;
  Signal written;
  MutableBytes into;  // what is left of the place that a waiting reader has for what comes
  bool is_written = true;
  bool is_finished = false;
  std::optional<channel::ResetCode> reset;  // why, if the peer has said so
  bool is_interrupted = false;
};

/// Part of the object that `base` is.
class LinkStreams {
 public:
  explicit LinkStreams(LinkBase& base) : base_(base), opened_(base.loop) {}

  Result<std::unique_ptr<Stream>> open(std::string_view service, Bytes argument) {
    PAKE_TRY(const auto id, base_.channel.open(as_bytes(service), argument));
    base_.wake_writer();
    return make_stream(id);
  }

  Awaitable<Outcome<std::string>> next_service(Deadline deadline) {
    PAKE_CO_TRYV(co_await until_opened(deadline));
    co_return backlog_.front().service;
  }
  Awaitable<Outcome<AcceptedStream>> accept(Deadline deadline) {
    PAKE_CO_TRYV(co_await until_opened(deadline));
    auto next = std::move(backlog_.front());
    backlog_.pop_front();
    co_return next;
  }

  void accept_each(std::function<void(Outcome<AcceptedStream>)> take) {
    take_ = std::move(take);
    hand_over();
  }

  /// Hands on all that the channel has to say: after `receive` and after `produce`.
  void deliver() {
    while (const auto event = base_.channel.next_event()) std::visit([this](const auto& what) { on(what); }, *event);
    hand_over();
  }

  /// All that comes is delivered: the peer's Close, come or to come, is answered.
  void delivered() {
    is_delivered_ = true;
    if (has_peer_closed_) base_.close(channel::CloseCode::done, after(kCloseTimeout));
  }

  /// The channel has ended.
  void cut() {
    is_over_ = true;
    for (const auto& [id, state] : table_) break_off(*state);
    opened_.notify();
    const auto never_accepted = std::exchange(backlog_, {});  // they hold this object
    hand_over();
  }

  [[nodiscard]] bool has_peer_closed() const noexcept { return has_peer_closed_; }
  std::optional<LentTicket> take_ticket() {
    const auto taken = std::move(ticket_);
    return taken ? std::optional(std::move(*taken)) : std::nullopt;
  }
  /// More has come on a stream than its reader had room for, since this was asked last.
  bool take_behind() noexcept { return std::exchange(is_reader_behind_, false); }
  /// Somebody's write is done, since this was asked last: there may be another one.
  bool take_written() noexcept { return std::exchange(is_written_told_, false); }

  // For ChannelStream.

  channel::Channel& channel() noexcept { return base_.channel; }
  void wake_writer() { base_.wake_writer(); }
  [[nodiscard]] const Address& peer() const noexcept { return base_.transport->peer(); }
  /// Moves what has come on the stream, as much of it as fits, into `into`; says how much.
  std::size_t take(channel::StreamId id, MutableBytes into) {
    const auto unread = base_.channel.unread(id);
    const auto count = std::min(unread.size(), into.size());
    std::copy_n(unread.begin(), count, into.begin());
    base_.channel.consume(id, count);
    return count;
  }
  void forget(channel::StreamId id) {
    base_.channel.release(id);
    table_.erase(id);
    base_.wake_writer();
  }

 private:
  Awaitable<Outcome<void>> until_opened(Deadline deadline) {
    while (backlog_.empty()) {
      if (is_over_ || has_peer_closed_) co_return fail(Error::Kind::closed);
      PAKE_CO_TRYV(co_await opened_.wait(deadline));
    }
    co_return Outcome<void>();
  }

  void on(const channel::Opened& opened) {
    backlog_.push_back({.service = std::string(as_text(opened.service)),
                        .argument = to_buffer(opened.argument),
                        .stream = make_stream(opened.stream)});
    opened_.notify();
  }
  void on(const channel::Readable& readable) {
    auto* state = find(readable.stream);
    if (state == nullptr) return;
    state->into = state->into.subspan(take(readable.stream, state->into));
    if (!base_.channel.unread(readable.stream).empty()) is_reader_behind_ = true;
    state->readable.notify();
  }
  void on(const channel::Finished& finished) {
    if (auto* state = find(finished.stream)) {
      state->is_finished = true;
      state->readable.notify();
    }
  }
  void on(const channel::WasReset& reset) {
    if (auto* state = find(reset.stream)) break_off(*state, reset.code);
  }
  void on(const channel::Written& written) {
    if (auto* state = find(written.stream)) {
      state->is_written = true;
      state->written.notify();
      is_written_told_ = true;
    }
  }
  void on(const channel::TicketArrived& arrived) {
    ticket_ = std::make_unique<LentTicket>(LentTicket{
        .lifetime = arrived.lifetime,
        .stored = {.ticket = to_buffer(arrived.ticket),
                   .secret = channel::ResumptionSecret::copy_of(base_.channel.resumption_secret().reveal())}});
  }
  void on(const channel::Closed&) {
    has_peer_closed_ = true;
    opened_.notify();
    if (is_delivered_) delivered();
  }

  // Not while an event is being told: who takes a stream may do anything with it.
  void hand_over() {
    if (!take_) return;
    while (!backlog_.empty()) {
      auto next = std::move(backlog_.front());
      backlog_.pop_front();
      take_(std::move(next));
    }
    if (is_over_ || has_peer_closed_) std::exchange(take_, {})(fail(Error::Kind::closed));
  }

  static void break_off(StreamState& state, channel::ResetCode code = channel::ResetCode::cancelled) {
    if (!state.reset) state.reset = code;
    state.readable.notify();
    state.written.notify();
  }

  [[nodiscard]] StreamState* find(channel::StreamId id) {
    const auto found = table_.find(id);
    return found == table_.end() ? nullptr : found->second.get();
  }
  std::unique_ptr<Stream> make_stream(channel::StreamId id);

  LinkBase& base_;
  std::unordered_map<channel::StreamId, std::shared_ptr<StreamState>> table_;
  std::list<AcceptedStream> backlog_;
  Signal opened_;
  std::function<void(Outcome<AcceptedStream>)> take_;  // empty: somebody waits in `accept`
  std::unique_ptr<LentTicket> ticket_;                 // small, as long as there is none
  bool is_reader_behind_ = false;
  bool is_written_told_ = false;
  bool has_peer_closed_ = false;
  bool is_delivered_ = false;
  bool is_over_ = false;
};

/// One stream of the channel.
class ChannelStream final : public Stream {
 public:
  ChannelStream(std::shared_ptr<LinkStreams> link, channel::StreamId id, std::shared_ptr<StreamState> state)
      : link_(std::move(link)), id_(id), state_(std::move(state)) {}
  ChannelStream(const ChannelStream&) = delete;
  ChannelStream& operator=(const ChannelStream&) = delete;
  ~ChannelStream() override { link_->forget(id_); }

  Awaitable<Outcome<std::size_t>> read_some(MutableBytes into, Deadline deadline) override {
    for (;;) {
      if (const auto count = link_->take(id_, into); count != 0) {
        if (link_->channel().wants_to_send()) link_->wake_writer();
        co_return count;
      }
      if (state_->is_finished) co_return fail(Error::Kind::closed);  // whatever came behind the FIN
      if (state_->reset) co_return reset_error();
      if (std::exchange(state_->is_interrupted, false)) co_return fail(Error::Kind::interrupted);
      state_->into = into;
      const auto woken = co_await state_->readable.wait(deadline);
      if (const auto count = into.size() - std::exchange(state_->into, {}).size(); count != 0) co_return count;
      PAKE_CO_TRYV(woken);
    }
  }

  Awaitable<Outcome<void>> write_all(Bytes bytes, Deadline deadline) override {
    if (bytes.empty()) co_return Outcome<void>();
    if (state_->reset || !link_->channel().write(id_, bytes)) co_return reset_error();
    state_->is_written = false;
    link_->wake_writer();
    while (!state_->is_written && !state_->reset) {
      const auto woken = co_await state_->written.wait(deadline);
      if (woken) continue;
      static_cast<void>(link_->channel().withdraw(id_));
      state_->is_written = true;
      co_return woken;
    }
    if (!state_->is_written) co_return reset_error();
    co_return Outcome<void>();
  }

  Awaitable<Outcome<void>> wait_acknowledged(Deadline) override { co_return fail(Error::Kind::other, EOPNOTSUPP); }

  void shutdown_write() noexcept override {
    static_cast<void>(link_->channel().finish(id_));  // of a stream that is gone there is nothing to end
    link_->wake_writer();
  }

  void reset(channel::ResetCode code) override {
    link_->channel().reset(id_, code);
    state_->reset = code;
    state_->readable.notify();
    state_->written.notify();
    link_->wake_writer();
  }

  void interrupt() override {
    state_->is_interrupted = true;
    state_->readable.notify();
  }

  [[nodiscard]] const Address& peer() const noexcept override { return link_->peer(); }

 private:
  [[nodiscard]] std::unexpected<Error> reset_error() const {
    return std::unexpected(Error{
        .kind = Error::Kind::reset, .system = 0, .reset_code = state_->reset.value_or(channel::ResetCode::cancelled)});
  }

  std::shared_ptr<LinkStreams> link_;
  channel::StreamId id_;
  std::shared_ptr<StreamState> state_;
};

inline std::unique_ptr<Stream> LinkStreams::make_stream(channel::StreamId id) {
  auto state = std::make_shared<StreamState>(base_.loop);
  table_.emplace(id, state);
  return std::make_unique<ChannelStream>(std::shared_ptr<LinkStreams>(base_.shared_from_this(), this), id,
                                         std::move(state));
}

}  // namespace pake::net
