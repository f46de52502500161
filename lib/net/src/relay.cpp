#include "pake/net/relay.h"

#include <cstddef>
#include <utility>

#include "pake/net/coroutine.h"
#include "pake/net/signal.h"

namespace pake::net {
namespace {

constexpr std::size_t kIdleChunk = 1024;       // what a direction holds while little comes
constexpr std::size_t kBusyChunk = 64 * 1024;  // and while much does

/// Held by both of its directions: if the loops are cancelled, nobody knows which ends last.
class Relay {
 public:
  Relay(Loop& loop, std::unique_ptr<Stream> first, std::unique_ptr<Stream> second)
      : loop_(loop), first_(std::move(first)), second_(std::move(second)) {}

  static Awaitable<RelayEnd> run(std::shared_ptr<Relay> self) {
    self->loop_.spawn(from_second(self));
    co_await self->copy(*self->first_, *self->second_, self->end_.from_first);
    while (!self->second_is_done_ && co_await self->second_done_.wait(kNever)) {
    }
    self->end_.complete = !self->is_broken_ && self->second_is_done_;
    co_return self->end_;
  }

 private:
  static Awaitable<void> from_second(std::shared_ptr<Relay> self) {
    co_await self->copy(*self->second_, *self->first_, self->end_.from_second);
    self->second_is_done_ = true;
    self->second_done_.notify();
  }

  Awaitable<void> copy(Stream& from, Stream& to, std::uint64_t& passed) {
    Buffer chunk(kIdleChunk);
    for (;;) {
      const auto count = co_await from.read_some(chunk, kNever);
      if (!count) {
        if (count.error() == Error::Kind::closed) co_return to.shutdown_write();
        co_return break_off(from, count.error());
      }
      const auto written = co_await to.write_all(Bytes(chunk).first(*count), kNever);
      if (!written) co_return break_off(to, written.error());
      passed += *count;
      if (*count == chunk.size() && chunk.size() < kBusyChunk) chunk = Buffer(kBusyChunk);
      if (*count < kIdleChunk / 2 && chunk.size() > kIdleChunk) chunk = Buffer(kIdleChunk);
    }
  }

  // A stream of a channel says why it is broken off; of a socket only that it is shows.
  void break_off(const Stream& side, const Error& error) {
    using channel::ResetCode;
    if (std::exchange(is_broken_, true)) return;
    if (&side == second_.get()) end_.second_error = error;
    const auto& why = end_.second_error;
    const bool says_why = why && *why == Error::Kind::reset && why->reset_code != ResetCode::cancelled;
    first_->reset(says_why ? why->reset_code : ResetCode::backend_failed);
    second_->reset(channel::ResetCode::cancelled);
  }

  Loop& loop_;
  std::unique_ptr<Stream> first_, second_;
  Signal second_done_{loop_};
  RelayEnd end_;
  bool second_is_done_ = false;
  bool is_broken_ = false;
};

}  // namespace

Awaitable<RelayEnd> relay(Loop& loop, std::unique_ptr<Stream> first, std::unique_ptr<Stream> second) {
  co_return co_await Relay::run(std::make_shared<Relay>(loop, std::move(first), std::move(second)));
}

}  // namespace pake::net
