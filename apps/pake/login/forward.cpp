#include "login/forward.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "login/session.h"
#include "network/problems.h"
#include "pake/channel/publish.h"
#include "pake/internal/try.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/relay.h"
#include "process/output.h"
#include "process/process.h"
#include "process/service_manager.h"

namespace pake::cli::login {
namespace {

using namespace std::chrono_literals;

constexpr auto kFirstPause = 500ms;  // before the second try to reach a server that has gone
constexpr auto kLongestPause = 30s;
constexpr std::chrono::seconds kPassOn{20};  // of the 30 s that a server waits for our Close
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kAnswer{10};  // of the server, of what stands behind a published service
constexpr std::chrono::milliseconds kFirstTicket{1'000};
constexpr std::chrono::milliseconds kNextTicket{60'000};

/// A port of this machine, and where its connections go.
struct Local {
  net::Listener listener;
  std::string service;
};

net::Awaitable<Expected<std::vector<Local>>> listen_on(net::Loop& loop, const ForwardOptions& options) {
  PAKE_CO_TRY(auto listeners, co_await listen_locally(loop, options.locals));
  std::vector<Local> locals;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const auto& service = options.locals[i].service;
    locals.push_back({.listener = std::move(listeners[i]), .service = service.empty() ? options.service : service});
  }
  co_return std::move(locals);
}

Problem not_published(const PublishedService& one, channel::ResetCode code) {
  using enum channel::ResetCode;
  switch (code) {
    case no_such_service:
      return {.exit_code = kExitService,
              .error = fmt::format("the server takes no service {} from anybody", one.service),
              .hint = "its operator allows names to users under [published] in its configuration"};
    case not_allowed:
      return {.exit_code = kExitService,
              .error = fmt::format("the server does not let this user publish {}", one.service),
              .hint = "its operator allows names to users under [published] in its configuration"};
    case too_many:
      return {.exit_code = kExitService,
              .error = fmt::format("a newer channel of this user publishes {}", one.service)};
    case cancelled:  // a server says none of these here
    case backend_unreachable:
    case backend_failed:
      break;
  }
  return {.exit_code = kExitService, .error = fmt::format("the server no longer publishes {}", one.service)};
}

// Why the server did not take a stream, if that is why it ended.
std::optional<Problem> refusal(const net::Error& error) {
  if (error != net::Error::Kind::reset) return std::nullopt;
  auto problem = stream_ended(error);
  if (problem.exit_code != kExitService) return std::nullopt;
  return problem;
}

// Of a server that was there before.
bool may_change(int exit_code) {
  return exit_code == kExitUnreachable || exit_code == kExitCutShort || exit_code == kExitThrottled ||
         exit_code == kExitService;
}

/// Held by each of its coroutines.
class Forwarder : public std::enable_shared_from_this<Forwarder> {
 public:
  Forwarder(net::Loop& loop, const ForwardOptions& options, Session& session, std::vector<Local> locals)
      : loop_(loop), options_(options), session_(session), locals_(std::move(locals)) {}

  net::Awaitable<Expected<void>> run() {
    PAKE_CO_TRY(auto channel, co_await session_.log_in(loop_));
    take(std::move(channel));
    say_where();
    if (auto written = session_.events().outcome(); !written) co_return stop(std::move(written.error()));
    tell_service_manager("READY=1\nSTATUS=" + state());
    for (auto& local : locals_)
      loop_.spawn(accept_connections(loop_, local.listener, [self = shared_from_this(), &local](auto accepted) {
        if (self->is_over_) return false;
        if (accepted) self->carry(local, std::move(*accepted));
        return true;
      }));
    for (;;) {
      loop_.spawn(collect_tickets(shared_from_this(), link_));
      loop_.spawn(take_streams(shared_from_this(), link_));
      for (const auto& one : options_.published) loop_.spawn(publish(shared_from_this(), link_, one));
      const auto end = co_await link_->run();
      session_.collect_ticket(*link_);
      link_.reset();
      if (refused_) co_return stop(std::move(*refused_));
      since_ = net::Clock::now();
      if (end.transport && *end.transport == net::Error::Kind::cancelled) co_return Expected<void>();
      say_note(fmt::format("the channel has ended ({}): connecting again", to_string(end.end)));
      session_.events().say("disconnected", {{"reason", std::string(to_string(end.end))}});
      if (auto written = session_.events().outcome(); !written) co_return stop(std::move(written.error()));
      tell_service_manager("STATUS=" + state());
      auto again = co_await reconnect();
      if (!again) co_return stop(std::move(again.error()));
      take(std::move(*again));
      say_note("connected again");
      tell_service_manager("STATUS=" + state());
    }
  }

  /// What somebody asks for by SIGUSR1.
  void say_state() const {
    if (!session_.events().are_wanted()) return say("note", state());
    session_.events().say("state", {{"state", state()}});
  }

 private:
  void take(net::ClientChannel channel) {
    link_ = std::move(channel.link);
    since_ = net::Clock::now();
    session_.events().say("connected", {{"user", options_.login.destination.name},
                                        {"host", net::to_string(options_.login.destination.address)}});
  }

  [[nodiscard]] std::string state() const {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(net::Clock::now() - since_).count();
    return fmt::format("{} {} for {} s, {} connection{} open", link_ ? "connected to" : "connecting again to",
                       options_.login.destination.typed, age, open_, open_ == 1 ? "" : "s");
  }

  void say_where() const {
    for (const auto& local : locals_)
      session_.events().say("listening",
                            {{"service", local.service}, {"address", net::to_string(local.listener.address())}});
    for (const auto& local : locals_)
      say_note(fmt::format("{} is at {}{}", local.service, net::to_string(local.listener.address()),
                           is_within_machine(local.listener.address()) ? "" : ", for whoever reaches this machine"));
  }

  std::unexpected<Problem> stop(Problem why) {
    for (auto& local : locals_) local.listener.interrupt();
    is_over_ = true;
    return std::unexpected(std::move(why));
  }

  // A name is ours as long as this stream is open: docs/wire.md, on services that users bring.
  static net::Awaitable<void> publish(std::shared_ptr<Forwarder> self, std::shared_ptr<net::ChannelLink> link,
                                      const PublishedService& one) {
    auto stream = link->open(channel::kPublishService, as_bytes(one.service));
    if (!stream) co_return;
    std::array<std::uint8_t, 1> answer{};
    auto count = co_await (*stream)->read_some(answer, net::after(kAnswer));
    if (count && answer[0] == channel::kPublished) {
      say_note(fmt::format("{} is published: it leads to {}, and the server sees what passes", one.service,
                           net::to_string(one.address)));
      self->session_.events().say("published", {{"service", one.service}, {"address", net::to_string(one.address)}});
      count = co_await (*stream)->read_some(answer, net::kNever);
    }
    if (count || count.error() != net::Error::Kind::reset) co_return;
    const auto code = count.error().reset_code;
    if (code == channel::ResetCode::cancelled) co_return;  // the channel ends
    self->refused_ = not_published(one, code);
    link->close(channel::CloseCode::done);
  }

  // What the server opens here. Each leads to the address that stands behind its name, and to no other.
  static net::Awaitable<void> take_streams(std::shared_ptr<Forwarder> self, std::shared_ptr<net::ChannelLink> link) {
    while (auto accepted = co_await link->accept(net::kNever)) {
      if (self->session_.take_stream(self->loop_, link, *accepted)) continue;
      const auto& all = self->options_.published;
      const auto found = std::ranges::find(all, accepted->service, &PublishedService::service);
      if (found == all.end())
        accepted->stream->reset(channel::ResetCode::no_such_service);
      else
        self->loop_.spawn(serve(self, *found, std::move(accepted->stream)));
    }
    // The server goes away. What it has sent is passed on first, to whoever takes it in time.
    const auto until = net::after(kPassOn);
    while (self->link_ == link && (self->open_ != 0 || self->session_.is_migrating()) && net::Clock::now() < until)
      if (!co_await self->loop_.sleep_until(net::after(kLook))) break;
    link->delivered();
  }

  static net::Awaitable<void> serve(std::shared_ptr<Forwarder> self, const PublishedService& one,
                                    std::unique_ptr<net::Stream> stream) {
    auto connection = co_await net::connect(self->loop_, one.address, net::after(kAnswer));
    if (!connection) {
      self->say_refused(one.service, fmt::format("{} cannot be reached: {}", net::to_string(one.address),
                                                 connection.error().explain()));
      co_return stream->reset(channel::ResetCode::backend_unreachable);
    }
    self->refusals_.erase(one.service);
    ++self->open_;
    static_cast<void>(co_await net::relay(self->loop_, std::move(stream), std::move(*connection)));
    --self->open_;
  }

  // A server lends a ticket soon after the login, and another one now and then: whatever ends this, it is kept.
  static net::Awaitable<void> collect_tickets(std::shared_ptr<Forwarder> self, std::shared_ptr<net::ChannelLink> link) {
    auto pause = kFirstTicket;
    while (co_await self->loop_.sleep_until(net::after(std::exchange(pause, kNextTicket))) && self->link_ == link)
      self->session_.collect_ticket(*link);
  }

  // By the ticket of the channel that ended, then by the password. What will not change ends it.
  net::Awaitable<Expected<net::ClientChannel>> reconnect() {
    std::chrono::milliseconds pause = kFirstPause;
    for (std::string said;;) {
      auto channel = co_await session_.log_in_again(loop_);
      if (channel) co_return channel;
      const auto& problem = channel.error();
      if (!may_change(problem.exit_code)) co_return channel;
      if (std::exchange(said, problem.error) != problem.error) say_note(problem.error + ": trying again");
      PAKE_CO_TRYV(co_await wait(pause));
      pause = std::min<std::chrono::milliseconds>(2 * pause, kLongestPause);
    }
  }

  net::Awaitable<Expected<void>> wait(std::chrono::milliseconds pause) {
    if (!co_await loop_.sleep_until(net::after(pause)))
      co_return std::unexpected(Problem{.exit_code = kExitFailed, .error = "interrupted"});
    co_return Expected<void>();
  }

  void carry(const Local& local, std::unique_ptr<net::Stream> connection) {
    if (!is_admitted(local, *connection)) return connection->reset(channel::ResetCode::cancelled);
    if (!link_) return connection->reset(channel::ResetCode::cancelled);
    auto stream = link_->open(local.service);
    if (!stream) {
      if (stream.error() == Errc::exhausted) say_refused(local.service, "as many are open as a channel carries");
      return connection->reset(channel::ResetCode::cancelled);
    }
    loop_.spawn(lead(shared_from_this(), local, std::move(connection), std::move(*stream)));
  }

  static net::Awaitable<void> lead(std::shared_ptr<Forwarder> self, const Local& local,
                                   std::unique_ptr<net::Stream> connection, std::unique_ptr<net::Stream> stream) {
    ++self->open_;
    const auto end = co_await net::relay(self->loop_, std::move(connection), std::move(stream));
    --self->open_;
    if (const auto why = end.second_error ? refusal(*end.second_error) : std::nullopt)
      self->say_refused(local.service, why->error);
    else
      self->refusals_.erase(local.service);
  }

  // Who connects sees a reset, and no reason. It is said again when it has changed.
  void say_refused(const std::string& service, const std::string& why) {
    if (std::exchange(refusals_[service], why) == why) return;
    session_.events().say("refused", {{"service", service}, {"reason", why}});
    say_note(fmt::format("connections to {} are refused: {}", service, why));
  }

  bool is_admitted(const Local& local, const net::Stream& connection) {
    const auto& address = local.listener.address();
    if (options_.any_user || own_user_only_.lets_in(connection, address)) return true;
    session_.events().say("stranger", {{"address", net::to_string(address)}});
    return false;
  }

  net::Loop& loop_;
  const ForwardOptions& options_;
  Session& session_;
  std::vector<Local> locals_;
  std::shared_ptr<net::ChannelLink> link_;       // null while there is no channel
  net::Deadline since_ = net::Clock::now();      // of the channel, or of its end
  std::size_t open_ = 0;                         // connections
  std::optional<Problem> refused_;               // a service that could not be published
  std::map<std::string, std::string> refusals_;  // of connections, by service, as they were said
  bool is_over_ = false;
  OwnUserOnly own_user_only_;
};

}  // namespace

int forward(const ForwardOptions& options) {
  const WithSession use = [&](net::Loops& loops, Session& session) -> net::Awaitable<Expected<void>> {
    auto& loop = loops.main();
    PAKE_CO_TRY(auto locals, co_await listen_on(loop, options));
    const auto forwarder = std::make_shared<Forwarder>(loop, options, session, std::move(locals));
    loops.on_every_signal({SIGUSR1}, [weak = std::weak_ptr(forwarder)](int) {
      if (const auto alive = weak.lock()) alive->say_state();
    });
    auto ended = co_await forwarder->run();
    tell_service_manager("STOPPING=1");
    co_return ended;
  };
  if (options.json) {
    if (const auto open = check_stdout(); !open) return report(open.error());
    leave_notes_out();
  }
  return run_logged_in(options.login, use,
                       {.events = Events(options.json ? std::optional(STDOUT_FILENO) : std::nullopt)});
}

}  // namespace pake::cli::login
