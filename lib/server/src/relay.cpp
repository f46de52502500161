#include "relay.h"

#include <cstddef>
#include <utility>

#include "pake/net/coroutine.h"
#include "pake/net/signal.h"

namespace pake::server {
namespace {

constexpr std::size_t kIdleChunk = 1024;       // what a direction holds while little comes
constexpr std::size_t kBusyChunk = 64 * 1024;  // and while much does

/// Held by both of its directions: if the loops are cancelled, nobody knows which ends last.
class Relay {
 public:
  Relay(net::Loop& loop, std::unique_ptr<net::Stream> client, std::unique_ptr<net::Stream> backend)
      : loop_(loop), client_(std::move(client)), backend_(std::move(backend)) {}

  static net::Awaitable<RelayEnd> run(std::shared_ptr<Relay> self) {
    self->loop_.spawn(from_backend(self));
    co_await self->copy(*self->client_, *self->backend_, self->end_.from_client);
    while (!self->backend_is_done_ && co_await self->backend_done_.wait(net::kNever)) {
    }
    self->end_.complete = !self->is_broken_ && self->backend_is_done_;
    co_return self->end_;
  }

 private:
  static net::Awaitable<void> from_backend(std::shared_ptr<Relay> self) {
    co_await self->copy(*self->backend_, *self->client_, self->end_.from_backend);
    self->backend_is_done_ = true;
    self->backend_done_.notify();
  }

  net::Awaitable<void> copy(net::Stream& from, net::Stream& to, std::uint64_t& passed) {
    Buffer chunk(kIdleChunk);
    for (;;) {
      const auto count = co_await from.read_some(chunk, net::kNever);
      if (!count) {
        if (count.error() == net::Error::Kind::closed) co_return to.shutdown_write();
        co_return break_off();
      }
      if (!co_await to.write_all(Bytes(chunk).first(*count), net::kNever)) co_return break_off();
      passed += *count;
      if (*count == chunk.size() && chunk.size() < kBusyChunk) chunk = Buffer(kBusyChunk);
      if (*count < kIdleChunk / 2 && chunk.size() > kIdleChunk) chunk = Buffer(kIdleChunk);
    }
  }

  void break_off() {
    if (std::exchange(is_broken_, true)) return;
    client_->reset(channel::ResetCode::backend_failed);
    backend_->reset(channel::ResetCode::cancelled);
  }

  net::Loop& loop_;
  std::unique_ptr<net::Stream> client_, backend_;
  net::Signal backend_done_{loop_};
  RelayEnd end_;
  bool backend_is_done_ = false;
  bool is_broken_ = false;
};

}  // namespace

net::Awaitable<RelayEnd> relay(net::Loop& loop, std::unique_ptr<net::Stream> client,
                               std::unique_ptr<net::Stream> backend) {
  co_return co_await Relay::run(std::make_shared<Relay>(loop, std::move(client), std::move(backend)));
}

}  // namespace pake::server
