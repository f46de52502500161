#include "login/session.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "network/problems.h"
#include "pake/channel/client_handshake.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "process/output.h"
#include "process/run.h"

namespace pake::cli::login {
namespace {

constexpr int kTries = 3;  // at a terminal

Problem wrong_password(const Destination& destination) {
  return {.exit_code = kExitAuthFailed,
          .error = fmt::format("wrong password or unknown name, or this is not the server where {} enrolled",
                               destination.name),
          .hint = "the server says the same to all three; an account is made with an invitation: pake enroll " +
                  destination.typed};
}

Problem wrong_invitation() {
  return {.exit_code = kExitAuthFailed,
          .error = "wrong or expired invitation code, or somebody is in between",
          .hint = "ask the operator for another one: pake user invite NAME"};
}

Problem no_password(const std::string& source) {
  return {.exit_code = kExitUsage,
          .error = fmt::format("what {} gives is not a password: it has 1 to 1024 bytes of UTF-8 without control "
                               "characters",
                               source),
          .hint = "nothing was sent"};
}

}  // namespace

channel::ClientConfig Session::config() const {
  return {.server_name = to_buffer(as_bytes(options_.destination.server_name)), .ksf_ceiling = options_.ksf_ceiling};
}

net::Awaitable<Expected<net::ClientChannel>> Session::by_password(net::Loop& loop, const identity::Password& password) {
  auto handshake = channel::ClientHandshake::by_password(
      config(), {.name = as_bytes(options_.destination.name), .password = password.reveal()}, rng_);
  co_return co_await open(loop, std::move(handshake), wrong_password(options_.destination));
}

net::Awaitable<Expected<net::ClientChannel>> Session::by_invitation(net::Loop& loop,
                                                                    const identity::InvitationCode& code) {
  auto handshake = channel::ClientHandshake::by_code(
      config(), {.selector = as_bytes(code.selector), .code = code.words.reveal()}, rng_);
  co_return co_await open(loop, std::move(handshake), wrong_invitation());
}

net::Awaitable<Expected<net::ClientChannel>> Session::by_ticket(net::Loop& loop, const channel::StoredTicket& ticket) {
  auto handshake = channel::ClientHandshake::by_ticket(config(), ticket, rng_);
  co_return co_await open(loop, std::move(handshake),
                          {.exit_code = kExitAuthFailed, .error = "the server takes the ticket no more"});
}

net::Awaitable<Expected<net::ClientChannel>> Session::open(net::Loop& loop, Result<channel::ClientHandshake> handshake,
                                                           const Problem& wrong_secret) {
  if (!handshake) co_return std::unexpected(Problem{.error = "cannot begin the handshake"});
  const auto& address = options_.destination.address;
  auto connected = co_await net::connect(loop, address, net::after(options_.deadline));
  if (!connected) co_return std::unexpected(cannot_connect(address, connected.error(), "pake serve"));
  auto stream = trace_ ? trace_->follow(std::move(*connected)) : std::move(*connected);
  auto channel =
      co_await net::connect_channel(loop, stream, *std::move(handshake), cache_, {.answer = options_.deadline});
  if (!channel)
    co_return std::unexpected(
        no_channel(channel.error(), {.wrong_secret = wrong_secret, .busy = "the server takes no more tries for now"}));
  co_return std::move(*channel);
}

std::optional<Problem> check_password(Bytes typed) {
  if (identity::normalise_password(typed)) return std::nullopt;
  return no_password("was typed");
}

Expected<identity::Password> password_of(const GivenSecret& given) {
  auto password = identity::normalise_password(given.text.reveal());
  if (!password) return std::unexpected(no_password(given.source));
  return std::move(*password);
}

int run_traced(const LoginOptions& options, const std::function<Expected<int>(std::optional<pipe::Trace>&)>& task) {
  const auto run = [&]() -> Expected<int> {
    std::optional<pipe::Trace> trace;
    if (options.trace) {
      PAKE_TRY(trace, pipe::Trace::open(*options.trace));
    }
    PAKE_TRY(const auto exit_code, task(trace));
    if (trace) PAKE_TRYV(trace->finish());
    return exit_code;
  };
  const auto exit_code = run();
  return exit_code ? *exit_code : report(exit_code.error());
}

int run_with_password(const LoginOptions& options, const WithPassword& use, const Asking& asking) {
  return run_traced(options, [&](std::optional<pipe::Trace>& trace) -> Expected<int> {
    for (int tries = 1;; ++tries) {
      PAKE_TRY(const auto given,
               read_secret(options.password, SecretPrompt{.question = fmt::format("{} of {}: ", asking.question,
                                                                                  options.destination.typed),
                                                          .check = check_password}));
      PAKE_TRY(const auto password, password_of(*given));
      if (asking.prepare) PAKE_TRYV(asking.prepare());
      Session session(options, trace);
      const auto exit_code = run_to_the_end([&](net::Loops& loops) { return use(loops.main(), session, password); });
      if (exit_code != kExitAuthFailed || !given->was_typed || tries == kTries) return exit_code;
    }
  });
}

}  // namespace pake::cli::login
