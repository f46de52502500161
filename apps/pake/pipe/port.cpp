#include "pipe/port.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>

#include "network/local_port.h"
#include "network/problems.h"
#include "pake/net/coroutine.h"
#include "pake/net/relay.h"
#include "process/output.h"

namespace pake::cli::pipe {
namespace {

constexpr std::chrono::seconds kAnswer{10};  // of what stands behind the port
constexpr std::chrono::seconds kPassOn{20};  // what has come, once the other side has ended
constexpr std::chrono::milliseconds kLook{20};

/// Connections under way. Held by each of its coroutines.
class Carrier : public std::enable_shared_from_this<Carrier> {
 public:
  Carrier(net::Loop& loop, std::shared_ptr<net::ChannelLink> link) : loop_(loop), link_(std::move(link)) {}

  net::Awaitable<Expected<void>> offer(net::Address address) {
    loop_.spawn(take_streams(shared_from_this(), std::move(address)));
    co_return co_await run();
  }

  net::Awaitable<Expected<void>> use(std::vector<net::Listener> listeners, Admits admits) {
    listeners_ = std::move(listeners);
    admits_ = admits;
    loop_.spawn(take_streams(shared_from_this(), std::nullopt));
    for (auto& listener : listeners_)
      loop_.spawn(accept_connections(loop_, listener, [self = shared_from_this(), &listener](auto accepted) {
        if (self->is_over_) return false;
        if (accepted) self->open_stream(listener.address(), std::move(*accepted));
        return true;
      }));
    auto ended = co_await run();
    for (auto& listener : listeners_) listener.interrupt();
    co_return ended;
  }

 private:
  net::Awaitable<Expected<void>> run() {
    const auto end = co_await link_->run();
    is_over_ = true;
    if (end.end != channel::EndReason::closed) co_return std::unexpected(channel_ended(end));
    co_return Expected<void>();
  }

  // @param address  where to; nothing: what the other side opens is refused
  static net::Awaitable<void> take_streams(std::shared_ptr<Carrier> self, std::optional<net::Address> address) {
    while (auto accepted = co_await self->link_->accept(net::kNever)) {
      if (address && accepted->service == kPortService)
        self->loop_.spawn(serve(self, *address, std::move(accepted->stream)));
      else
        accepted->stream->reset(channel::ResetCode::no_such_service);
    }
    const auto until = net::after(kPassOn);
    while (!self->is_over_ && self->open_ != 0 && net::Clock::now() < until)
      if (!co_await self->loop_.sleep_until(net::after(kLook))) break;
    self->link_->delivered();
  }

  static net::Awaitable<void> serve(std::shared_ptr<Carrier> self, net::Address address,
                                    std::unique_ptr<net::Stream> stream) {
    auto connection = co_await net::connect(self->loop_, address, net::after(kAnswer));
    if (!connection) {
      say_note(fmt::format("{} cannot be reached: {}", net::to_string(address), connection.error().explain()));
      co_return stream->reset(channel::ResetCode::backend_unreachable);
    }
    co_await carry(self, std::move(stream), std::move(*connection));
  }

  static net::Awaitable<void> carry(std::shared_ptr<Carrier> self, std::unique_ptr<net::Stream> first,
                                    std::unique_ptr<net::Stream> second) {
    ++self->open_;
    static_cast<void>(co_await net::relay(self->loop_, std::move(first), std::move(second)));
    --self->open_;
  }

  void open_stream(const net::Address& at, std::unique_ptr<net::Stream> connection) {
    if (admits_ != Admits::any_user && !own_user_only_.lets_in(*connection, at))
      return connection->reset(channel::ResetCode::cancelled);
    auto stream = link_->open(kPortService);
    if (!stream) return connection->reset(channel::ResetCode::cancelled);
    loop_.spawn(carry(shared_from_this(), std::move(connection), std::move(*stream)));
  }

  net::Loop& loop_;
  std::shared_ptr<net::ChannelLink> link_;
  std::vector<net::Listener> listeners_;
  Admits admits_ = Admits::own_user;
  std::size_t open_ = 0;
  bool is_over_ = false;
  OwnUserOnly own_user_only_;
};

}  // namespace

net::Awaitable<Expected<void>> offer_port(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                          net::Address address) {
  const auto carrier = std::make_shared<Carrier>(loop, std::move(link));
  co_return co_await carrier->offer(std::move(address));
}

net::Awaitable<Expected<void>> use_port(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                        std::vector<net::Listener> listeners, Admits admits) {
  const auto carrier = std::make_shared<Carrier>(loop, std::move(link));
  co_return co_await carrier->use(std::move(listeners), admits);
}

}  // namespace pake::cli::pipe
