#include "pipe/port.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>

#include "network/own_user.h"
#include "network/problems.h"
#include "pake/net/coroutine.h"
#include "pake/net/relay.h"
#include "process/output.h"
#include "process/owner_only.h"

namespace pake::cli::pipe {
namespace {

constexpr std::chrono::seconds kAnswer{10};  // of what stands behind the port
constexpr std::chrono::seconds kPassOn{20};  // what has come, once the other side has ended
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::milliseconds kNoDescriptor{100};
constexpr std::size_t kAtOnce = 32;  // connections that are accepted before anything else goes on: opened in one record

bool is_loopback(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  return tcp != nullptr && (tcp->host.starts_with("127.") || tcp->host == "::1");
}

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
    for (auto& listener : listeners_) loop_.spawn(accept_loop(shared_from_this(), listener));
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

  static net::Awaitable<void> accept_loop(std::shared_ptr<Carrier> self, net::Listener& listener) {
    for (std::size_t count = 1;; ++count) {
      auto accepted = co_await listener.accept(self->loop_, net::kNever);
      if (self->is_over_ || (!accepted && accepted.error() == net::Error::Kind::cancelled)) co_return;
      if (!accepted) {
        if (!co_await self->loop_.sleep_until(net::after(kNoDescriptor))) co_return;
        continue;
      }
      self->open_stream(listener.address(), std::move(*accepted));
      if (count % kAtOnce == 0) co_await self->loop_.yield();
    }
  }

  void open_stream(const net::Address& at, std::unique_ptr<net::Stream> connection) {
    if (!is_admitted(at, *connection)) return connection->reset(channel::ResetCode::cancelled);
    auto stream = link_->open(kPortService);
    if (!stream) return connection->reset(channel::ResetCode::cancelled);
    loop_.spawn(carry(shared_from_this(), std::move(connection), std::move(*stream)));
  }

  // On loopback every user of this machine could connect.
  bool is_admitted(const net::Address& at, const net::Stream& connection) {
    if (admits_ == Admits::any_user || !is_loopback(at)) return true;
    if (user_of_connection(connection.peer(), at) == ::geteuid()) return true;
    if (!std::exchange(has_told_of_strangers_, true))
      say_note("a process of another user was refused (--any-user lets it in)");
    return false;
  }

  net::Loop& loop_;
  std::shared_ptr<net::ChannelLink> link_;
  std::vector<net::Listener> listeners_;
  Admits admits_ = Admits::own_user;
  std::size_t open_ = 0;
  bool is_over_ = false;
  bool has_told_of_strangers_ = false;
};

}  // namespace

net::Awaitable<Expected<void>> offer_port(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                          net::Address address) {
  const auto carrier = std::make_shared<Carrier>(loop, std::move(link));
  co_return co_await carrier->offer(std::move(address));
}

net::Awaitable<Expected<std::vector<net::Listener>>> listen_locally(net::Loop& loop,
                                                                    std::vector<login::LocalPort> locals) {
  const OwnerOnly owner_only;
  std::vector<net::Listener> listeners;
  for (const auto& local : locals) {
    auto listener = co_await net::listen(loop, local.address, net::kNever);
    if (!listener) co_return std::unexpected(cannot_listen(local.address, listener.error()));
    listeners.push_back(std::move(*listener));
  }
  co_return std::move(listeners);
}

net::Awaitable<Expected<void>> use_port(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                        std::vector<net::Listener> listeners, Admits admits) {
  const auto carrier = std::make_shared<Carrier>(loop, std::move(link));
  co_return co_await carrier->use(std::move(listeners), admits);
}

}  // namespace pake::cli::pipe
