#include "pipe/dial.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "pake/channel/client_handshake.h"
#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/identity/code.h"
#include "pake/internal/try.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pipe/conversation.h"
#include "pipe/trace.h"
#include "process/output.h"
#include "process/run.h"

namespace pake::cli::pipe {
namespace {

Problem unreachable(const net::Address& where, const net::Error& error) {
  return {.exit_code = kExitUnreachable,
          .error = fmt::format("cannot connect to {}: {}", net::to_string(where), error.explain()),
          .hint = error == net::Error::Kind::refused ? "start the other side first: pake listen" : ""};
}

Problem wrong_code() {
  return {.exit_code = kExitAuthFailed,
          .error = "the other side did not prove that it knows this code",
          .hint = "this code is used up, here as well: let the other side start `pake listen` again for another one"};
}

Problem told(const channel::Alert& alert) {
  using enum channel::AlertCode;
  switch (alert.code) {
    case throttled:
      if (alert.retry_after == 0)
        return {.exit_code = kExitThrottled, .error = "somebody else is trying this code: ask for a new one"};
      return {.exit_code = kExitThrottled,
              .error = fmt::format("somebody else is trying this code: try again in {} s", alert.retry_after)};
    case refused:
      return wrong_code();
    case unavailable:
    case unknown_server:
    case unsupported:
    case malformed:
      break;
  }
  return {.exit_code = kExitProtocol, .error = fmt::format("the other side refused us: {}", to_string(alert.code))};
}

Problem no_channel(const net::HandshakeError& error) {
  if (error.failure && error.failure->received) return told(*error.failure->received);
  if (error.failure && error.failure->error == Errc::auth_failed) return wrong_code();
  if (error.failure)
    return {.exit_code = kExitProtocol, .error = "what answers at this address does not speak this protocol"};
  return {.exit_code = kExitCutShort, .error = fmt::format("the handshake broke off: {}", error.error.explain())};
}

class Dialler {
 public:
  Dialler(const DialOptions& options, identity::Code code, std::optional<Trace>& trace)
      : options_(options), code_(std::move(code)), trace_(trace) {}

  net::Awaitable<Expected<void>> run(net::Loops& loops) {
    auto& loop = loops.main();
    auto connected = co_await net::connect(loop, options_.address, net::after(options_.deadline));
    if (!connected) co_return std::unexpected(unreachable(options_.address, connected.error()));
    auto stream = trace_ ? trace_->follow(std::move(*connected)) : std::move(*connected);

    auto handshake = channel::ClientHandshake::by_code({.fastest_aead = fastest_aead()},
                                                       {.selector = {}, .code = code_.reveal()}, rng_);
    if (!handshake) co_return std::unexpected(Problem{.error = "cannot begin the handshake"});
    auto started = co_await net::run_handshake(*handshake, loop, *stream, {.answer = options_.deadline});
    if (!started) co_return std::unexpected(no_channel(started.error()));
    if (!options_.quiet) say_note("connected: both sides know the code");

    const auto link = std::make_shared<net::ChannelLink>(
        loop, std::move(stream), std::move(started->outcome.keys), channel::Role::client, cache_,
        net::ChannelLink::Leftover{.to_send = std::move(started->finish), .arrived = {}});
    auto pipe = link->open(kService);
    if (!pipe) co_return std::unexpected(Problem{.error = "cannot open the pipe"});
    co_return co_await converse(loop, link, std::move(*pipe));
  }

 private:
  const DialOptions& options_;
  identity::Code code_;
  std::optional<Trace>& trace_;
  crypto::SystemRng rng_;
  channel::KeyCache cache_{2};
};

Expected<identity::Code> ask_for_code(SecretOptions secret) {
  secret.prompt = true;
  secret.asks = "Code: ";
  PAKE_TRY(const auto typed, read_secret(secret));
  auto code = identity::parse_code(typed->reveal());
  if (!code)
    return std::unexpected(Problem{.exit_code = kExitUsage,
                                   .error = "this is no code: a code is two words of the list and a number",
                                   .hint = "type it as the other side shows it, like word-word-42; nothing was sent"});
  return std::move(*code);
}

Expected<int> try_dial(const DialOptions& options) {
  PAKE_TRY(auto code, ask_for_code(options.secret));
  std::optional<Trace> trace;
  if (options.trace) {
    PAKE_TRY(trace, Trace::open(*options.trace));
  }
  Dialler dialler(options, std::move(code), trace);
  const auto exit_code = run_to_the_end([&](net::Loops& loops) { return dialler.run(loops); });
  if (trace) PAKE_TRYV(trace->finish());
  return exit_code;
}

}  // namespace

int dial(const DialOptions& options) {
  const auto exit_code = try_dial(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::pipe
