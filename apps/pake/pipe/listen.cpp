#include "pipe/listen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "pake/channel/key_cache.h"
#include "pake/channel/server_handshake.h"
#include "pake/crypto/rng.h"
#include "pake/identity/code.h"
#include "pake/internal/try.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pake/net/signal.h"
#include "pipe/conversation.h"
#include "pipe/trace.h"
#include "process/output.h"
#include "process/run.h"

namespace pake::cli::pipe {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostCallers = 64;  // at once; one more and the oldest that has said nothing yet goes
constexpr std::uint32_t kTryAgain = 60;   // seconds: by then the one who is being answered has finished or failed
constexpr auto kAcceptTurn = 200ms;       // how long the port stays open after the matter is settled

Problem wrong_code() {
  return {.exit_code = kExitAuthFailed,
          .error = "somebody tried a wrong code, or left without proving the right one: this code is used up",
          .hint = "run `pake listen` again for another code"};
}

/// One who has connected.
struct Caller {
  std::unique_ptr<net::Stream> stream;
  bool has_spoken = false;
  bool has_the_guess = false;  // it is being answered
};

/// Waits for the one who knows the code. Held by the tasks of all callers.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(net::Loop& loop, identity::Code code, std::optional<Trace>& trace)
      : loop_(loop), code_(std::move(code)), trace_(trace) {}

  /// Somebody who has proved the code.
  struct AuthenticatedPeer {
    std::unique_ptr<net::Stream> stream;
    net::ServerStart start;
  };

  net::Awaitable<Expected<AuthenticatedPeer>> wait_for_peer(net::Listener listener) {
    loop_.spawn(accept_loop(shared_from_this(), std::move(listener)));
    const auto settled = co_await settled_.wait(net::kNever);
    is_settled_ = true;
    for (auto& caller : callers_) caller.stream->interrupt();
    if (!settled) co_return std::unexpected(Problem{.error = "interrupted"});
    if (!guest_) co_return std::unexpected(wrong_code());
    co_return std::move(*guest_);
  }

 private:
  using Place = std::list<Caller>::iterator;

  static net::Awaitable<void> accept_loop(std::shared_ptr<Acceptor> self, net::Listener listener) {
    while (!self->is_settled_) {
      auto accepted = co_await listener.accept(self->loop_, net::after(kAcceptTurn));
      if (!accepted && accepted.error() == net::Error::Kind::cancelled) co_return;
      if (!accepted && accepted.error() == net::Error::Kind::exhausted)
        static_cast<void>(co_await self->loop_.sleep_until(net::after(100ms)));
      if (!accepted || self->is_settled_) continue;
      self->make_room();
      auto stream = self->trace_ ? self->trace_->follow(std::move(*accepted)) : std::move(*accepted);
      self->callers_.push_back({.stream = std::move(stream)});
      self->loop_.spawn(serve(self, std::prev(self->callers_.end())));
    }
  }

  void make_room() {
    if (callers_.size() < kMostCallers) return;
    for (auto& caller : callers_)
      if (!caller.has_spoken) return caller.stream->interrupt();
  }

  static net::Awaitable<void> serve(std::shared_ptr<Acceptor> self, Place place) {
    co_await self->answer(*place);
    self->callers_.erase(place);
  }

  net::Awaitable<void> answer(Caller& caller) {
    channel::ServerHandshake handshake({.fastest_aead = fastest_aead()}, rng_);
    const net::AnswerRequest answer = [&](channel::ServerHandshake& asked) -> net::Awaitable<void> {
      caller.has_spoken = true;
      caller.has_the_guess = answer_request(asked);
      co_return;
    };
    auto started = co_await net::run_handshake(handshake, loop_, *caller.stream, answer, {});
    const bool is_guess_lost = caller.has_the_guess && budget_.available() == 0;
    if (is_settled_ || (!started && !is_guess_lost)) co_return;
    if (started) guest_ = AuthenticatedPeer{.stream = std::move(caller.stream), .start = std::move(*started)};
    settled_.notify();
  }

  // The pipe's hellos name nobody: docs/wire.md, section 13.
  // True where the caller is answered with the one guess that there is.
  bool answer_request(channel::ServerHandshake& asked) {
    using enum channel::AlertCode;
    const auto& request = *asked.request();
    if (request.kind != channel::HandshakeKind::code || !request.server_name.empty() || !request.name.empty()) {
      static_cast<void>(asked.refuse({.code = unknown_server}));
      return false;
    }
    auto permit = budget_.take();
    if (!permit) {
      static_cast<void>(asked.refuse({.code = throttled, .retry_after = kTryAgain}));
      return false;
    }
    return asked.answer_code({.code = code_.reveal(), .permit = std::move(*permit)}).has_value();
  }

  net::Loop& loop_;
  identity::Code code_;
  std::optional<Trace>& trace_;
  crypto::SystemRng rng_;
  GuessBudget budget_{1};
  std::list<Caller> callers_;
  net::Signal settled_{loop_};
  std::optional<AuthenticatedPeer> guest_;
  bool is_settled_ = false;
};

// Where the other side can reach this one: of an address that stands for all, only the person knows.
std::string reachable(net::Address address) {
  auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (tcp != nullptr && (tcp->host == "0.0.0.0" || tcp->host == "::")) tcp->host = "ADDRESS-OF-THIS-MACHINE";
  return net::to_string(address);
}

std::string how_to_dial(const net::Address& address, const identity::Code& code) {
  return fmt::format("the code is  {}\non the other side:  pake dial {}", as_text(code.reveal()), reachable(address));
}

class Host {
 public:
  Host(const ListenOptions& options, std::optional<Trace>& trace) : options_(options), trace_(trace) {}

  net::Awaitable<Expected<void>> run(net::Loops& loops) {
    auto& loop = loops.main();
    auto listener = net::Listener::open(loop, options_.address);
    if (!listener)
      co_return std::unexpected(Problem{
          .error = fmt::format("cannot listen on {}: {}", net::to_string(options_.address), listener.error().explain()),
          .hint = "choose another ADDRESS; port 0 lets the system choose a free port"});
    crypto::SystemRng rng;
    auto code = identity::generate_code(rng);
    Output screen(STDERR_FILENO);
    screen.line(how_to_dial(listener->address(), code));
    if (screen.failure() != 0)
      co_return std::unexpected(
          Problem{.error = fmt::format("cannot show the code: {}", explain_errno(screen.failure()))});

    const auto reception = std::make_shared<Acceptor>(loop, std::move(code), trace_);
    PAKE_CO_TRY(auto guest, co_await reception->wait_for_peer(std::move(*listener)));
    if (!options_.quiet) say_note(fmt::format("connected: {} knows the code", net::to_string(guest.stream->peer())));
    const auto link = std::make_shared<net::ChannelLink>(
        loop, std::move(guest.stream), std::move(guest.start.outcome.keys), channel::Role::server, cache_,
        net::ChannelLink::Leftover{.to_send = {}, .arrived = std::move(guest.start.arrived)});
    co_return co_await converse(loop, link, nullptr);
  }

 private:
  const ListenOptions& options_;
  std::optional<Trace>& trace_;
  channel::KeyCache cache_{2};
};

Expected<int> try_listen(const ListenOptions& options) {
  std::optional<Trace> trace;
  if (options.trace) {
    PAKE_TRY(trace, Trace::open(*options.trace));
  }
  Host host(options, trace);
  const auto exit_code = run_to_the_end([&](net::Loops& loops) { return host.run(loops); });
  if (trace) PAKE_TRYV(trace->finish());
  return exit_code;
}

}  // namespace

int listen(const ListenOptions& options) {
  const auto exit_code = try_listen(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::pipe
