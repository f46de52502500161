#include "pake/net/channel_link.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "link_base.h"
#include "link_reader.h"
#include "link_streams.h"
#include "link_writer.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::net {
namespace {

constexpr std::chrono::seconds kLastSend{1};  // for a Close that nobody waits for

}  // namespace

class ChannelLink::Impl : public LinkBase {
 public:
  Impl(Loop& of, std::unique_ptr<Stream> stream, channel::ChannelKeys keys, channel::Role role,
       channel::KeyCache& cache, Leftover leftover)
      : LinkBase(of, std::move(stream), std::move(keys), role, cache),
        streams(*this),
        reader_(*this, streams, std::move(leftover.arrived)),
        writer_(*this, streams, std::move(leftover.to_send)) {}

  Awaitable<LinkEnd> run() {
    if (std::exchange(has_begun_, true)) co_return co_await wait_for_end();
    is_running_ = true;
    wake_writer();
    while (reader_.goes_on()) {
      if (streams.take_behind()) co_await loop.yield();
      reader_.has_read(co_await transport->read_some(reader_.room(), channel.deadline()));
    }
    wake_writer();
    // What is left to send goes to a peer that reads; a channel that is over has at most a Close to send.
    const auto deadline = channel.end() ? after(kLastSend) : kNever;
    while (!writer_.is_gone()) {
      const auto woken = co_await writer_gone.wait(std::min(deadline, channel.deadline()));
      if (woken) continue;
      if (woken.error() != Error::Kind::timed_out || Clock::now() >= deadline) break;
      tick();
    }
    is_running_ = false;
    streams.cut();
    ended_.notify();
    co_return how_it_ended();
  }

  Status send_ticket(std::uint32_t lifetime, Bytes ticket) {
    PAKE_TRYV(channel.send_ticket(lifetime, ticket));
    wake_writer();
    return {};
  }
  void abort() {
    channel.abort();
    transport->reset(channel::ResetCode::cancelled);
    wake_writer();
  }
  void wake_writer() override {
    if (is_running_ && writer_.wake()) loop.spawn(write(std::static_pointer_cast<Impl>(shared_from_this())));
  }

  LinkStreams streams;

 private:
  Awaitable<LinkEnd> wait_for_end() {
    if (is_running_)
      if (const auto woken = co_await ended_.wait(kNever); !woken && !error) error = woken.error();
    co_return how_it_ended();
  }
  [[nodiscard]] LinkEnd how_it_ended() const {
    return {.end = channel.end().value_or(channel::EndReason::cut),
            .transport = error,
            .alert = channel.alert(),
            .peer_close = channel.peer_close()};
  }

  static Awaitable<void> write(std::shared_ptr<Impl> self) { co_await self->writer_.run(); }

  LinkReader reader_;
  LinkWriter writer_;
  Signal ended_{loop};
  bool has_begun_ = false;
  bool is_running_ = false;
};

ChannelLink::ChannelLink(Loop& loop, std::unique_ptr<Stream> stream, channel::ChannelKeys keys, channel::Role role,
                         channel::KeyCache& cache, Leftover leftover)
    : impl_(std::make_shared<Impl>(loop, std::move(stream), std::move(keys), role, cache, std::move(leftover))) {}
ChannelLink::~ChannelLink() = default;
Awaitable<LinkEnd> ChannelLink::run() { return impl_->run(); }
Result<std::unique_ptr<Stream>> ChannelLink::open(std::string_view service, Bytes argument) {
  return impl_->streams.open(service, argument);
}
Awaitable<Outcome<AcceptedStream>> ChannelLink::accept(Deadline deadline) { return impl_->streams.accept(deadline); }
Awaitable<Outcome<std::string>> ChannelLink::next_service(Deadline deadline) {
  return impl_->streams.next_service(deadline);
}
void ChannelLink::accept_each(std::function<void(Outcome<AcceptedStream>)> take) {
  impl_->streams.accept_each(std::move(take));
}
Status ChannelLink::send_ticket(std::uint32_t lifetime, Bytes ticket) { return impl_->send_ticket(lifetime, ticket); }
Status ChannelLink::export_keying_material(channel::InternalLabel label, Bytes context, MutableBytes out) const {
  return impl_->channel.export_keying_material(label, context, out);
}
Status ChannelLink::export_keying_material(std::string_view label, Bytes context, MutableBytes out) const {
  return impl_->channel.export_keying_material(label, context, out);
}
const channel::ResumptionSecret& ChannelLink::resumption_secret() const noexcept {
  return impl_->channel.resumption_secret();
}
std::optional<LentTicket> ChannelLink::take_ticket() { return impl_->streams.take_ticket(); }
void ChannelLink::close(channel::CloseCode code, Deadline deadline) { impl_->close(code, deadline); }
std::optional<channel::CloseCode> ChannelLink::peer_close() const { return impl_->channel.peer_close(); }
void ChannelLink::delivered() { impl_->streams.delivered(); }
void ChannelLink::delivery_failed() { impl_->close(channel::CloseCode::not_delivered, after(kCloseTimeout)); }
void ChannelLink::abort() { impl_->abort(); }

}  // namespace pake::net
