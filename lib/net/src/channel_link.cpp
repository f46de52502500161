#include "pake/net/channel_link.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <list>
#include <unordered_map>
#include <utility>
#include <variant>

#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"

namespace pake::net {
namespace {

using channel::StreamId;

constexpr std::size_t kIdleInput = 256;
constexpr std::size_t kBusyInput = 256 * 1024;
constexpr std::size_t kGrowth = 8;
constexpr std::size_t kFirstOutput = 4096;
constexpr std::size_t kBusyOutput = 7 * channel::kMaxRecordSize;  // fewer or more cost more: docs/performance.md
constexpr std::chrono::seconds kKeepOutput{1};                    // after the last that was sent
constexpr std::chrono::seconds kLastSend{1};                      // for a Close that nobody waits for
static_assert(kBusyInput >= channel::kMaxRecordSize && kFirstOutput >= channel::Channel::kMinOutput);

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

}  // namespace

class ChannelLink::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Loop& loop, std::unique_ptr<Stream> stream, channel::ChannelKeys keys, channel::Role role,
       channel::KeyCache& cache, Leftover leftover)
      : loop_(loop),
        stream_(std::move(stream)),
        channel_(std::move(keys), role, cache, Clock::now()),
        first_(std::move(leftover.to_send)),
        input_(std::move(leftover.arrived)),
        arrived_(input_.size()),
        write_wakeup_(loop),
        writer_gone_(loop),
        opened_(loop) {}

  Awaitable<LinkEnd> run() {
    loop_.spawn(write_records(shared_from_this()));
    co_await read_records();
    write_wakeup_.notify();
    // What is left to send goes to a peer that reads; a channel that is over has at most a Close to send.
    const auto deadline = channel_.end() ? after(kLastSend) : kNever;
    while (!is_writer_gone_) {
      const auto woken = co_await writer_gone_.wait(std::min(deadline, channel_.deadline()));
      if (woken) continue;
      if (woken.error() != Error::Kind::timed_out || Clock::now() >= deadline) break;
      tick();
    }
    cut_streams();
    co_return LinkEnd{.end = channel_.end().value_or(channel::EndReason::cut),
                      .transport = transport_,
                      .alert = channel_.alert(),
                      .peer_close = channel_.peer_close()};
  }

  Result<std::unique_ptr<Stream>> open(std::string_view service, Bytes argument);
  Awaitable<Outcome<AcceptedStream>> accept(Deadline deadline);

  void close(channel::CloseCode code, Deadline deadline) {
    channel_.close(code, deadline);
    write_wakeup_.notify();
    stream_->interrupt();  // both wait until a deadline that may be too late now
    writer_gone_.notify();
  }
  void delivered() {
    is_delivered_ = true;
    if (has_peer_closed_) close(channel::CloseCode::done, after(kCloseTimeout));
  }
  void abort() {
    channel_.abort();
    stream_->reset(channel::ResetCode::cancelled);
    write_wakeup_.notify();
  }

  Status send_ticket(std::uint32_t lifetime, Bytes ticket) {
    PAKE_TRYV(channel_.send_ticket(lifetime, ticket));
    write_wakeup_.notify();
    return {};
  }
  template <class Label>
  [[nodiscard]] Status export_keying_material(Label label, Bytes context, MutableBytes out) const {
    return channel_.export_keying_material(label, context, out);
  }
  std::optional<LentTicket> take_ticket() { return std::exchange(ticket_, std::nullopt); }

  channel::Channel& channel() noexcept { return channel_; }
  /// Moves what has come on the stream, as much of it as fits, into `into`; says how much.
  std::size_t take(StreamId id, MutableBytes into) {
    const auto unread = channel_.unread(id);
    const auto count = std::min(unread.size(), into.size());
    std::copy_n(unread.begin(), count, into.begin());
    channel_.consume(id, count);
    return count;
  }
  /// Something may have to be sent.
  void wake_writer() { write_wakeup_.notify(); }
  void forget(StreamId id) {
    channel_.release(id);
    streams_.erase(id);
    write_wakeup_.notify();
  }
  const Address& peer() const noexcept { return stream_->peer(); }

 private:
  Awaitable<void> read_records() {
    while (take_records() && !channel_.end() && !has_peer_closed_) {
      if (std::exchange(is_reader_behind_, false)) co_await loop_.yield();
      if (arrived_ == input_.size()) input_.resize(std::clamp(kGrowth * arrived_, kIdleInput, kBusyInput));
      const auto count = co_await stream_->read_some(MutableBytes(input_).subspan(arrived_), channel_.deadline());
      if (count) {
        arrived_ += *count;
      } else if (count.error() == Error::Kind::timed_out) {
        tick();
        if (arrived_ == 0) input_ = Buffer(kIdleInput);  // what has been silent for so long may stay so
      } else if (count.error() == Error::Kind::interrupted) {
        continue;  // to wait until another deadline
      } else {
        if (!transport_) transport_ = count.error();
        static_cast<void>(channel_.end_of_input());  // `end` says it
      }
    }
  }

  // Everything that is whole. False when the channel has failed.
  bool take_records() {
    std::size_t taken = 0;
    bool is_well = true;
    while (taken < arrived_) {
      const auto size = channel_.receive(MutableBytes(input_).subspan(taken, arrived_ - taken), Clock::now());
      is_well = size.has_value();
      if (!size || *size == 0) break;
      tell_streams();
      taken += *size;
    }
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(taken),
              input_.begin() + static_cast<std::ptrdiff_t>(arrived_), input_.begin());
    arrived_ -= taken;
    if (taken != 0 || !is_well) write_wakeup_.notify();
    return is_well;
  }

  void tick() {
    channel_.tick(Clock::now());
    if (channel_.end() == channel::EndReason::unanswered) stream_->reset(channel::ResetCode::cancelled);
    write_wakeup_.notify();
  }

  static Awaitable<void> write_records(std::shared_ptr<Impl> self) {
    co_await self->write_records();
    self->is_writer_gone_ = true;
    self->writer_gone_.notify();
  }

  Awaitable<void> write_records() {
    for (;;) {
      const auto sent = co_await send_what_is_due();
      if (!sent) {
        if (!transport_) transport_ = sent.error();
        static_cast<void>(channel_.end_of_input());
        stream_->interrupt();  // the reader
        co_return;
      }
      if (channel_.end()) {
        stream_->shutdown_write();
        stream_->interrupt();
        co_return;
      }
      const auto woken = co_await write_wakeup_.wait(output_.empty() ? kNever : after(kKeepOutput));
      if (woken) continue;
      if (woken.error() != Error::Kind::timed_out) co_return;  // cancelled, and so is the reader
      output_ = Buffer();
    }
  }

  Awaitable<Outcome<void>> send_what_is_due() {
    auto used = first_.size();
    while (used != 0 || channel_.wants_to_send()) {
      if (output_.size() < kFirstOutput + used) output_.resize(kFirstOutput + used);
      if (used != 0) std::ranges::copy(std::exchange(first_, {}), output_.begin());
      used += fill_output(used);
      if (std::exchange(is_written_told_, false) && output_.size() == kBusyOutput) {
        co_await loop_.yield();  // what those who were told write now leaves in the same call
        used += fill_output(used);
      }
      const bool is_full = used + channel::Channel::kMinOutput > output_.size();
      // Slow is not dead: the deadline begins anew with every byte that the system takes.
      for (auto rest = Bytes(output_).first(used); !rest.empty();) {
        PAKE_CO_TRY(const auto count, co_await stream_->write_some(rest, after(channel::kGiveUpAfter)));
        rest = rest.subspan(count);
      }
      if (is_full) output_.resize(kBusyOutput);
      used = 0;
    }
    co_return Outcome<void>();
  }

  std::size_t fill_output(std::size_t used) {
    const auto size = channel_.produce(MutableBytes(output_).subspan(used), Clock::now());
    tell_streams();
    return size;
  }

  void tell_streams() {
    while (const auto event = channel_.next_event()) std::visit([this](const auto& what) { on(what); }, *event);
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
    if (!channel_.unread(readable.stream).empty()) is_reader_behind_ = true;
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
    ticket_ = {.lifetime = arrived.lifetime,
               .stored = {.ticket = to_buffer(arrived.ticket),
                          .secret = channel::ResumptionSecret::copy_of(channel_.resumption_secret().reveal())}};
  }
  void on(const channel::Closed&) {
    has_peer_closed_ = true;
    opened_.notify();
    if (is_delivered_) delivered();
  }

  static void break_off(StreamState& state, channel::ResetCode code = channel::ResetCode::cancelled) {
    if (!state.reset) state.reset = code;
    state.readable.notify();
    state.written.notify();
  }

  void cut_streams() {
    is_over_ = true;
    for (const auto& [id, state] : streams_) break_off(*state);
    opened_.notify();
    const auto never_accepted = std::exchange(backlog_, {});  // they hold this object
  }

  [[nodiscard]] StreamState* find(StreamId id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : found->second.get();
  }
  std::unique_ptr<Stream> make_stream(StreamId id);

  Loop& loop_;
  std::unique_ptr<Stream> stream_;
  channel::Channel channel_;
  Buffer first_;  // to send before any record
  Buffer input_;  // the first `arrived_` bytes of it have come
  std::size_t arrived_;
  bool is_reader_behind_ = false;  // more has come on a stream than its reader had room for
  Buffer output_;                  // records being sent: the writer's alone
  bool is_written_told_ = false;   // somebody's write is done: there may be another one
  std::unordered_map<StreamId, std::shared_ptr<StreamState>> streams_;
  std::list<AcceptedStream> backlog_;
  Signal write_wakeup_, writer_gone_, opened_;
  std::optional<Error> transport_;
  std::optional<LentTicket> ticket_;
  bool has_peer_closed_ = false;
  bool is_delivered_ = false;
  bool is_writer_gone_ = false;
  bool is_over_ = false;
};

/// One stream of the channel.
class ChannelStream final : public Stream {
 public:
  ChannelStream(std::shared_ptr<ChannelLink::Impl> link, StreamId id, std::shared_ptr<StreamState> state)
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

  std::shared_ptr<ChannelLink::Impl> link_;
  StreamId id_;
  std::shared_ptr<StreamState> state_;
};

std::unique_ptr<Stream> ChannelLink::Impl::make_stream(StreamId id) {
  auto state = std::make_shared<StreamState>(loop_);
  streams_.emplace(id, state);
  return std::make_unique<ChannelStream>(shared_from_this(), id, std::move(state));
}

Result<std::unique_ptr<Stream>> ChannelLink::Impl::open(std::string_view service, Bytes argument) {
  PAKE_TRY(const auto id, channel_.open(as_bytes(service), argument));
  write_wakeup_.notify();
  return make_stream(id);
}

Awaitable<Outcome<AcceptedStream>> ChannelLink::Impl::accept(Deadline deadline) {
  while (backlog_.empty()) {
    if (is_over_ || has_peer_closed_) co_return fail(Error::Kind::closed);
    PAKE_CO_TRYV(co_await opened_.wait(deadline));
  }
  auto next = std::move(backlog_.front());
  backlog_.pop_front();
  co_return next;
}

ChannelLink::ChannelLink(Loop& loop, std::unique_ptr<Stream> stream, channel::ChannelKeys keys, channel::Role role,
                         channel::KeyCache& cache, Leftover leftover)
    : impl_(std::make_shared<Impl>(loop, std::move(stream), std::move(keys), role, cache, std::move(leftover))) {}
ChannelLink::~ChannelLink() = default;
Awaitable<LinkEnd> ChannelLink::run() { return impl_->run(); }
Result<std::unique_ptr<Stream>> ChannelLink::open(std::string_view service, Bytes argument) {
  return impl_->open(service, argument);
}
Awaitable<Outcome<AcceptedStream>> ChannelLink::accept(Deadline deadline) { return impl_->accept(deadline); }
Status ChannelLink::send_ticket(std::uint32_t lifetime, Bytes ticket) { return impl_->send_ticket(lifetime, ticket); }
Status ChannelLink::export_keying_material(channel::InternalLabel label, Bytes context, MutableBytes out) const {
  return impl_->export_keying_material(label, context, out);
}
Status ChannelLink::export_keying_material(std::string_view label, Bytes context, MutableBytes out) const {
  return impl_->export_keying_material(label, context, out);
}
const channel::ResumptionSecret& ChannelLink::resumption_secret() const noexcept {
  return impl_->channel().resumption_secret();
}
std::optional<LentTicket> ChannelLink::take_ticket() { return impl_->take_ticket(); }
void ChannelLink::close(channel::CloseCode code, Deadline deadline) { impl_->close(code, deadline); }
std::optional<channel::CloseCode> ChannelLink::peer_close() const { return impl_->channel().peer_close(); }
void ChannelLink::delivered() { impl_->delivered(); }
void ChannelLink::delivery_failed() { impl_->close(channel::CloseCode::not_delivered, after(kCloseTimeout)); }
void ChannelLink::abort() { impl_->abort(); }

}  // namespace pake::net
