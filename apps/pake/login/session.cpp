#include "login/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "login/waiting.h"
#include "network/problems.h"
#include "pake/channel/client_handshake.h"
#include "pake/client/record.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/workers.h"
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

// As somebody types whose Caps Lock is on.
bool is_in_capitals(std::string_view text) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return std::ranges::any_of(text, is_upper) && std::ranges::none_of(text, is_lower);
}

std::uint64_t seconds_now() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

Problem no_password(const std::string& source) {
  return {.exit_code = kExitUsage,
          .error = fmt::format("what {} gives is not a password: it has 1 to 1024 bytes of UTF-8 without control "
                               "characters",
                               source),
          .hint = "nothing was sent"};
}

// Its thread is there before anybody is dialled: a server would count a guess whose password could not be stretched.
net::Awaitable<Expected<void>> with_a_thread(net::Loops& loops, Session& session, const WithSession& use) {
  if (!loops.start_workers(1))
    co_return std::unexpected(Problem{.error = "no thread for the stretching of the password"});
  co_return co_await use(loops, session);
}

// The exit code, or why there is none, which is not said yet.
Expected<int> run_tries(const LoginOptions& options, std::optional<pipe::Trace>& trace, const WithSession& use,
                        const Asking& asking) {
  PAKE_TRY(auto remembering, Remembering::open(options.destination, options.remember));
  Session session(options, trace, asking, std::move(remembering));
  PAKE_TRYV(session.take_credentials());
  for (int tries = 1;;) {
    PAKE_TRYV(session.ask());
    if (asking.prepare) PAKE_TRYV(asking.prepare());
    auto exit_code = run_on_loop([&](net::Loops& loops) { return with_a_thread(loops, session, use); });
    if (!exit_code && session.needs_password()) continue;
    const bool is_last = exit_code || !session.can_ask_again() || tries++ >= kTries;
    if (exit_code || (is_last && asking.events.are_wanted())) return exit_code;
    session.complain(exit_code.error());
    if (is_last) return exit_code.error().exit_code;
  }
}

Problem no_login(const net::HandshakeError& error, const Problem& wrong_secret) {
  using enum channel::AlertCode;
  const auto received = error.failure ? error.failure->received : std::nullopt;
  if (received && received->code == unavailable)
    return {.exit_code = kExitService,
            .error = "the server takes nobody for now: it cannot reach its store, or it is about to stop",
            .hint = "try again later"};
  if (received && received->code == unknown_server)
    return {.exit_code = kExitProtocol,
            .error = "the server does not answer to this name or address",
            .hint = "its operator lists under `names` what it is called"};
  return no_channel(error, {.wrong_secret = wrong_secret, .busy = "the server takes no more tries for now"});
}

}  // namespace

channel::ClientConfig Session::config() const {
  using channel::DevicePlace;
  return {.server_name = to_buffer(as_bytes(options_.destination.server_name)),
          .ksf_ceiling = options_.ksf_ceiling,
          .device_place = options_.remember ? DevicePlace::taken : DevicePlace::none};
}

Expected<void> Session::take(const GivenSecret& given) {
  PAKE_TRY(password_, password_of(given));
  was_typed_ = given.was_typed;
  is_capitals_ = is_in_capitals(as_text(given.text.reveal()));
  is_wrong_ = false;
  needs_password_ = false;
  return {};
}

Expected<void> Session::take_credentials() {
  if (!remembering_.host()) PAKE_TRYV(remembering_.prepare());
  ticket_ = remembering_.take_ticket();
  if (ticket_ && asking_.by_password_alone) ticket_->lifetime = 0;
  PAKE_TRY(const auto given, read_secret(options_.password, std::nullopt));
  if (!given) return {};
  return take(*given);
}

Expected<void> Session::ask() {
  needs_password_ = false;  // whoever does not answer is not asked again
  if (is_wrong_) password_.reset();
  if (password_ || (ticket_ && ticket_->is_good_at(seconds_now()))) return {};
  PAKE_TRY(const auto given,
           read_secret(options_.password,
                       SecretPrompt{.question = fmt::format("{} of {}: ", asking_.question, options_.destination.typed),
                                    .check = check_password}));
  return take(*given);
}

net::Awaitable<Expected<net::ClientChannel>> Session::log_in(net::Loop& loop) {
  if (ticket_ && ticket_->is_good_at(seconds_now())) {
    auto channel = co_await by_ticket(loop);
    if (channel || channel.error().exit_code != kExitAuthFailed) co_return channel;
    ticket_->lifetime = 0;  // it opens nothing any more, and shows the device all the same
    needs_password_ = !password_;
    if (needs_password_) {
      say_note("the server no longer takes the ticket of the last login: the password is needed");
      co_return channel;
    }
  }
  co_return co_await by_password(loop);
}

void Session::complain(const Problem& problem) const {
  report(problem);
  if (is_wrong_ && was_typed_ && is_capitals_) say_hint("every letter of it was a capital: is Caps Lock on?");
}

net::Awaitable<Expected<net::ClientChannel>> Session::log_in_again(net::Loop& loop) {
  for (int tries = 1;; ++tries) {
    auto channel = co_await log_in(loop);
    if (channel || !can_ask_again() || tries > kTries) co_return channel;
    if (is_wrong_) complain(channel.error());
    PAKE_CO_TRYV(co_await ask_on_a_thread(loop));
  }
}

// The loop goes on while somebody thinks; a signal ends the question.
net::Awaitable<Expected<void>> Session::ask_on_a_thread(net::Loop& loop) {
  auto workers = net::Workers::start(1, 1);
  if (!workers) co_return std::unexpected(Problem{.error = "no thread to ask for the password on"});
  Expected<void> asked;
  const auto ran = co_await (*workers)->run(loop, [&] { asked = ask(); });
  if (!ran) co_return std::unexpected(Problem{.error = "interrupted"});
  co_return asked;
}

net::Awaitable<Expected<net::ClientChannel>> Session::by_password(net::Loop& loop) {
  if (!password_) co_return std::unexpected(Problem{.error = "there is no password"});
  const channel::PasswordCredentials credentials{.name = as_bytes(options_.destination.name),
                                                 .password = password_->reveal()};
  const auto wrong = wrong_password(options_.destination);
  auto channel = co_await open(loop, channel::ClientHandshake::by_password(config(), credentials, rng_), wrong);
  // The server counts the guesses of a device that it knows apart. It is shown only now: it links this login to
  // another.
  if (!channel && channel.error().exit_code == kExitThrottled && ticket_)
    channel = co_await open(
        loop,
        channel::ClientHandshake::by_password_from_device(config(), credentials, ticket_->stored, seconds_now(), rng_),
        wrong);
  is_wrong_ = !channel && channel.error().exit_code == kExitAuthFailed;
  if (!channel) co_return channel;
  used_ksf_ = channel->outcome.ksf;
  // The finish has not left yet: a server that is not the one that is remembered does not get it.
  if (remembering_.may_write() && !remembering_.host()) say_first_contact(options_.destination);
  PAKE_CO_TRYV(remembering_.check_server(channel->outcome.server_public_key));
  co_return channel;
}

net::Awaitable<Expected<net::ClientChannel>> Session::by_ticket(net::Loop& loop) {
  auto handshake = channel::ClientHandshake::by_ticket(config(), ticket_->stored, rng_);
  co_return co_await open(loop, std::move(handshake),
                          {.exit_code = kExitAuthFailed, .error = "the server takes the ticket no more"});
}

net::Awaitable<Expected<net::ClientChannel>> Session::by_invitation(net::Loop& loop,
                                                                    const identity::InvitationCode& code) {
  auto handshake = channel::ClientHandshake::by_code(
      config(), {.selector = as_bytes(code.selector), .code = code.words.reveal()}, rng_);
  co_return co_await open(loop, std::move(handshake), wrong_invitation());
}

bool Session::take_stream(net::Loop& loop, const std::shared_ptr<net::ChannelLink>& link,
                          net::AcceptedStream& accepted) {
  if (accepted.service != channel::kMigrationService || !password_ || is_migrating_) return false;
  const auto offer = channel::MigrationOffer::decode(accepted.argument);
  if (!offer) return false;
  is_migrating_ = true;
  loop.spawn(migrate(loop, link, *offer, std::move(accepted.stream)));
  return true;
}

// Design, section 7. What fails leaves the old record as it is; the server asks again at the next login.
net::Awaitable<void> Session::migrate(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                      channel::MigrationOffer offer, std::unique_ptr<net::Stream> stream) {
  // A key that could not be kept would be refused at the next login.
  if (const auto place = remembering_.prepare(); !place) {
    report(place.error());
  } else if (const auto workers = net::Workers::start(1, 1)) {
    const auto made = co_await client::make_record_on(loop, **workers, *link, std::move(stream), offer.suite,
                                                      {.purpose = channel::RecordPurpose::migrate,
                                                       .name = options_.destination.name,
                                                       .password = *password_,
                                                       .ksf_floor = used_ksf_,
                                                       .ksf_ceiling = options_.ksf_ceiling},
                                                      rng_);
    // The server has proved itself in this channel: it may say which key it has from now on. Tickets stay good.
    auto kept = made ? remembering_.replace_server(made->server_public_key) : Expected<void>();
    if (made && kept && ticket_) kept = remembering_.keep_ticket(*ticket_);
    if (!kept) report(kept.error());
  }
  is_migrating_ = false;
}

void Session::collect_ticket(net::ChannelLink& link) {
  auto lent = link.take_ticket();
  if (!lent) return;
  ticket_ =
      client::RememberedTicket{.stored = std::move(lent->stored), .lent_at = seconds_now(), .lifetime = lent->lifetime};
  if (const auto kept = remembering_.keep_ticket(*ticket_); !kept) report(kept.error());
}

net::Awaitable<Expected<net::ClientChannel>> Session::open(net::Loop& loop, Result<channel::ClientHandshake> handshake,
                                                           const Problem& wrong_secret) {
  if (!handshake) co_return std::unexpected(Problem{.error = "cannot begin the handshake"});
  const auto& address = options_.destination.address;
  const Waiting waiting(loop, fmt::format("waiting for {}, Ctrl-C ends this", net::to_string(address)));
  auto connected = co_await net::connect(loop, address, net::after(options_.deadline));
  if (!connected) co_return std::unexpected(cannot_connect(address, connected.error(), "pake serve"));
  auto stream = trace_ ? trace_->follow(std::move(*connected)) : std::move(*connected);
  auto channel =
      co_await net::connect_channel(loop, stream, *std::move(handshake), cache_, {.answer = options_.deadline});
  if (!channel) co_return std::unexpected(no_login(channel.error(), wrong_secret));
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
    return pipe::finish(trace, task(trace));
  };
  const auto exit_code = run();
  return exit_code ? *exit_code : report(exit_code.error());
}

void say_first_contact(const Destination& destination) {
  say_note(
      fmt::format("first contact with {}: no certificate protects this, the password does, both ways; whoever "
                  "knows your password could play the server to you",
                  net::to_string(destination.address)));
}

int run_logged_in(const LoginOptions& options, const WithSession& use, const Asking& asking) {
  return run_traced(options, [&](std::optional<pipe::Trace>& trace) -> Expected<int> {
    const auto ended = run_tries(options, trace, use, asking);
    const auto& events = asking.events;
    events.say_end(ended ? *ended : ended.error().exit_code, ended ? nullptr : &ended.error());
    if (!events.are_wanted() || !events.outcome()) return ended;
    return ended ? *ended : ended.error().exit_code;
  });
}

}  // namespace pake::cli::login
