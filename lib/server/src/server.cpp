#include "pake/server/server.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "connection_handler.h"
#include "feed.h"
#include "pake/crypto/rng.h"
#include "pake/internal/try.h"
#include "pake/net/acceptor.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pake/net/signal.h"
#include "pake/net/workers.h"
#include "pake/server/control.h"
#include "state.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kWorkers = 4;             // SQLite has as many readers
constexpr std::size_t kQueuedWork = 16 * 1024;  // a waiting login has one at a time
constexpr auto kControlTime = 10s;
constexpr std::size_t kControlCallers = 16;
constexpr auto kAfterDrain = 3s;  // for ended sessions' peers to close

net::CallerLimits limits_of(const Config& config) {
  const auto& limits = config.limits;
  return {.silent = limits.silent, .waiting = limits.waiting, .all = limits.silent + limits.waiting + limits.sessions};
}

std::vector<net::Loop*> every_loop_of(net::Loops& loops) {
  std::vector<net::Loop*> all = {&loops.next()};
  for (auto* loop = &loops.next(); loop != all.front(); loop = &loops.next()) all.push_back(loop);
  return all;
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(net::Loops& loops, Config config, std::shared_ptr<Accounts> accounts, std::shared_ptr<Log> log,
       std::shared_ptr<net::Workers> workers)
      : loops_(loops),
        main_(loops.main()),
        every_loop_(every_loop_of(loops)),
        callers_(limits_of(config)),
        state_(std::make_shared<State>(
            std::move(config), std::move(accounts), std::move(log),
            [workers = std::move(workers)](net::Loop& loop, std::function<void()> call, net::Deadline deadline) {
              return workers->run(loop, std::move(call), deadline);
            },
            std::make_shared<crypto::SystemRng>())),
        handler_(std::make_shared<ConnectionHandler>(
            state_, [](net::Loop& loop, std::unique_ptr<net::Stream>& stream,
                       const net::ServerSide& side) { return net::accept_channel(loop, stream, side); })),
        feed_(state_) {}

  // A socket a loop: the system spreads what comes. They share an address among themselves, and with nobody else: a
  // socket that does not share is tried first.
  net::Outcome<net::Address> listen(const net::Address& address) {
    net::Address at;
    {
      PAKE_TRY(auto alone, net::Listener::open(main_, address));
      at = alone.address();
      if (!std::holds_alternative<net::TcpAddress>(address) || every_loop_.size() == 1) {
        listeners_.push_back(
            {.loop = &main_, .listener = std::make_shared<net::Listener>(std::move(alone)), .is_alone = true});
        return at;
      }
    }
    for (auto* const loop : every_loop_) {
      PAKE_TRY(auto listener, net::Listener::open(*loop, at, net::Sharing::one_a_loop));
      listeners_.push_back({.loop = loop, .listener = std::make_shared<net::Listener>(std::move(listener))});
    }
    return at;
  }

  net::Outcome<net::Address> listen_on(int socket) {
    PAKE_TRY(auto adopted, net::Listener::adopt(main_, socket));
    auto at = adopted.address();
    listeners_.push_back(
        {.loop = &main_, .listener = std::make_shared<net::Listener>(std::move(adopted)), .is_alone = true});
    return at;
  }

  net::Outcome<void> listen_for_control(const net::UnixAddress& address) {
    PAKE_TRY(auto listener, net::Listener::open(main_, address));
    ::chmod(address.path.c_str(), S_IRUSR | S_IWUSR);
    control_ = std::make_shared<net::Listener>(std::move(listener));
    return {};
  }

  void follow(Follow follow) { handler_->follow(std::move(follow)); }

  store::StoreStatus prepare() { return feed_.read_all(); }

  static net::Awaitable<void> run(std::shared_ptr<Impl> self) {
    self->feed_.start();
    for (const auto& each : self->listeners_) each.loop->spawn(accept(self, each));
    if (self->control_) self->main_.spawn(accept_control(self));
    while (!self->state_->is_draining && co_await self->drain_.wait(net::kNever)) {
    }
    for (const auto& each : self->listeners_)
      each.loop->post(each.listener, [](net::Listener& listener) { listener.interrupt(); });
    auto& sessions = self->state_->sessions;
    sessions.end_all(EndCause::drain);
    self->state_->meetings.drain();
    co_await self->wait_for_sessions(self->state_->config()->limits.drain);
    if (sessions.end_all(EndCause::killed) > 0) co_await self->wait_for_sessions(kAfterDrain);
    self->loops_.cancel();
  }

  void drain() {
    state_->is_draining = true;
    main_.post(weak_from_this(), [](Impl& self) { self.drain_.notify(); });
  }

  [[nodiscard]] const std::shared_ptr<State>& state() const noexcept { return state_; }
  [[nodiscard]] Connections connections() const {
    return {.silent = callers_.silent(), .waiting = callers_.waiting(), .open_guesses = state_->guesses.total()};
  }

 private:
  struct OwnListener {
    net::Loop* loop = nullptr;
    std::shared_ptr<net::Listener> listener;
    bool is_alone = false;  // of its address
  };

  // What comes by a socket that is the only one of its address is spread here.
  static net::Awaitable<void> accept(std::shared_ptr<Impl> self, OwnListener own) {
    const bool spreads = own.loop == &self->main_ && own.is_alone;
    co_await net::accept_loop(
        *own.loop, own.listener, self->callers_,
        {.serve = [self](net::Caller caller) { return ConnectionHandler::serve(self->handler_, std::move(caller)); },
         .home = [self, spreads, loop = own.loop]() -> net::Loop& { return spreads ? self->loops_.next() : *loop; },
         .is_full =
             [self](const net::Error& error, const net::Address* peer) {
               self->state_->log()->write(LogLevel::warning, "full",
                                          {{.key = "error", .value = error.explain()},
                                           {.key = "source", .value = peer == nullptr ? "" : net::to_string(*peer)}});
             }});
  }

  // The socket is its owner's alone; what is bounded is bounded for his mistakes.
  static net::Awaitable<void> accept_control(std::shared_ptr<Impl> self) {
    const net::Callers callers({.silent = kControlCallers, .waiting = kControlCallers, .all = 2 * kControlCallers});
    co_await net::accept_loop(self->main_, self->control_, callers,
                              {.serve = [self](net::Caller caller) { return answer(self, std::move(caller)); },
                               .home = [self]() -> net::Loop& { return self->main_; },
                               .is_full =
                                   [self](const net::Error& error, const net::Address*) {
                                     self->state_->log()->write(LogLevel::warning, "control-full",
                                                                {{.key = "error", .value = error.explain()}});
                                   }});
  }

  // One request a connection.
  static net::Awaitable<void> answer(std::shared_ptr<Impl> self, net::Caller caller) {
    auto* const stream = &caller.stream();
    const auto deadline = net::after(kControlTime);
    Buffer line;
    while (std::ranges::find(line, std::uint8_t{'\n'}) == line.end()) {
      const auto have = line.size();
      if (have >= kMaxControlLine) co_return;
      line.resize(kMaxControlLine);
      const auto count = co_await stream->read_some(MutableBytes(line).subspan(have), deadline);
      line.resize(have + count.value_or(0));
      if (!count) co_return;
    }
    if (!caller.begin_waiting()) co_return;  // it has been evicted
    const auto lines = answer_control(self->state_->sessions, as_text(line));
    static_cast<void>(co_await stream->write_all(as_bytes(lines), deadline));
  }

  net::Awaitable<void> wait_for_sessions(std::chrono::milliseconds at_most) {
    constexpr auto kTurn = 20ms;
    const auto deadline = net::after(at_most);
    const auto is_busy = [&] {
      return state_->sessions.size() > 0 || callers_.waiting() > 0 || state_->meetings.talking() > 0;
    };
    while (is_busy() && net::Clock::now() < deadline)
      if (!co_await main_.sleep_until(net::after(kTurn))) co_return;
  }

  net::Loops& loops_;
  net::Loop& main_;
  const std::vector<net::Loop*> every_loop_;
  std::vector<OwnListener> listeners_;
  std::shared_ptr<net::Listener> control_;  // null if nobody asks
  net::Callers callers_;
  std::shared_ptr<State> state_;
  std::shared_ptr<ConnectionHandler> handler_;
  Feed feed_;
  net::Signal drain_{main_};
};

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

net::Outcome<std::unique_ptr<Server>> Server::make(net::Loops& loops, Config config, std::shared_ptr<Accounts> accounts,
                                                   std::shared_ptr<Log> log) {
  PAKE_TRY(auto workers, net::Workers::start(kWorkers, kQueuedWork));
  return std::unique_ptr<Server>(new Server(
      std::make_shared<Impl>(loops, std::move(config), std::move(accounts), std::move(log), std::move(workers))));
}

net::Outcome<net::Address> Server::listen(const net::Address& address) { return impl_->listen(address); }
net::Outcome<net::Address> Server::listen_on(int socket) { return impl_->listen_on(socket); }
net::Outcome<void> Server::listen_for_control(const net::UnixAddress& address) {
  return impl_->listen_for_control(address);
}
void Server::follow_connections(Follow follow) { impl_->follow(std::move(follow)); }
store::StoreStatus Server::prepare() { return impl_->prepare(); }
net::Awaitable<void> Server::run() { return Impl::run(impl_); }
void Server::drain() { impl_->drain(); }
void Server::reload(Config config) {
  auto& state = *impl_->state();
  state.set_config(std::move(config));
  state.publications.recheck(*state.config());
}
void Server::set_log(std::shared_ptr<Log> log) { impl_->state()->set_log(std::move(log)); }
bool Server::is_ready() const {
  const auto& state = *impl_->state();
  return !is_draining() && net::Clock::now() - state.generations.refreshed_at() <= Generations::kMaxAge &&
         state.accounts->has_current_keys(wall_now());
}
bool Server::is_draining() const { return impl_->state()->is_draining; }
Server::Connections Server::connections() const { return impl_->connections(); }
std::size_t Server::published() const { return impl_->state()->publications.size(); }
std::size_t Server::meetings() const {
  const auto& meetings = impl_->state()->meetings;
  return meetings.waiting() + meetings.talking();
}
Sessions& Server::sessions() noexcept { return impl_->state()->sessions; }
const Counters& Server::counters() const noexcept { return impl_->state()->counters; }
Accounts& Server::accounts() noexcept { return *impl_->state()->accounts; }

}  // namespace pake::server
