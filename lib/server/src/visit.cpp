#include "visit.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/source.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using channel::AlertCode;
using channel::HandshakeKind;
using store::BucketKind;

constexpr std::uint32_t kFullRetry = 5;  // seconds: no place among those who are waited for

Entrance entrance_of(HandshakeKind kind) {
  switch (kind) {
    case HandshakeKind::login:
      return Entrance::password;
    case HandshakeKind::code:
      return Entrance::code;
    case HandshakeKind::resume:
      return Entrance::ticket;
  }
  std::unreachable();
}

Outcome outcome_of(AlertCode code) {
  switch (code) {
    case AlertCode::refused:
      return Outcome::refused;
    case AlertCode::throttled:
      return Outcome::throttled;
    case AlertCode::unavailable:
      return Outcome::unavailable;
    case AlertCode::unknown_server:
    case AlertCode::unsupported:
    case AlertCode::malformed:
      return Outcome::protocol;
  }
  std::unreachable();
}

// Beyond it a hello is not taken as a device's, either way: a client whose clock is ahead could be replayed for longer.
constexpr auto kHelloLife = 5min;

// Both in seconds since 1970; what comes from a hello may be any number.
bool is_about(std::uint64_t time, std::chrono::sys_seconds now) {
  const auto at = static_cast<std::uint64_t>(now.time_since_epoch().count());
  return (time > at ? time - at : at - time) <= static_cast<std::uint64_t>(std::chrono::seconds(kHelloLife).count());
}
bool is_older(std::uint64_t time, std::chrono::seconds age, std::chrono::sys_seconds now) {
  const auto at = static_cast<std::uint64_t>(now.time_since_epoch().count());
  return time < at && at - time > static_cast<std::uint64_t>(age.count());
}

}  // namespace

Visit::Visit(std::shared_ptr<State> state, net::Loop& loop, net::Caller& caller, net::Address source)
    : state_(std::move(state)), config_(state_->config()), loop_(loop), caller_(caller), source_(std::move(source)) {}

channel::Alert Visit::refuse(AlertCode code, std::uint32_t retry_after) {
  refused_with_ = code;
  return {.code = code, .retry_after = retry_after};
}

channel::Alert Visit::throttle(const Throttled& throttled) {
  return refuse(AlertCode::throttled, static_cast<std::uint32_t>(throttled.retry_after.count()));
}

std::optional<GuessPermit> Visit::permit(OpenGuess guess, store::BucketRule rule, bool of_an_account) {
  // Nobody answers one who has left: his guess would be spent for nothing.
  if (caller_.stream().has_peer_ended() || !caller_.begin_waiting()) return std::nullopt;
  guess_.emplace(std::move(guess));
  rule_ = rule;
  of_an_account_ = of_an_account;
  outcome_ = std::make_shared<ObservedGuess>();
  return GuessPermit(outcome_);
}

Visit::Decided Visit::decide(const channel::ClientRequest& request) {
  entrance_ = entrance_of(request.kind);
  server_name_ = request.server_name;
  device_place_ = request.device_place;
  if (state_->is_draining) co_return refuse(AlertCode::unavailable);
  if (state_->sessions.size() >= config_->limits.sessions) co_return refuse(AlertCode::throttled, kFullRetry);
  if (!config_->names.empty() && !config_->names.contains(std::string(as_text(request.server_name))))
    co_return refuse(AlertCode::unknown_server);
  switch (request.kind) {
    case HandshakeKind::login:
      co_return co_await decide_login(request);
    case HandshakeKind::code:
      co_return co_await decide_code(request);
    case HandshakeKind::resume:
      co_return co_await decide_ticket(request);
  }
  std::unreachable();
}

GuessKeys Visit::keys_of(BucketKind kind, Bytes target) const {
  const auto& accounts = *state_->accounts;
  const auto source = net::Source(source_).text();
  return {.target = accounts.bucket(kind, target),
          .source = accounts.bucket(BucketKind::source, as_bytes(source)),
          .new_rows = accounts.bucket(BucketKind::new_rows, as_bytes(source))};
}

Visit::Decided Visit::decide_login(const channel::ClientRequest& request) {
  by_ = EnteredBy::password;
  user_ = as_text(request.name);
  if (request.device) {
    auto decided = co_await decide_known_device(request);
    if (decided) co_return *std::move(decided);
  }
  const auto& rules = config_->guesses;
  auto guess = state_->guesses.take(keys_of(BucketKind::account, request.name), rules.slots);
  if (!guess) co_return throttle(guess.error());
  auto found = co_await read_login(request, {});
  if (!found) co_return refuse(AlertCode::unavailable);
  co_return answer_login(request, *std::move(guess), *std::move(found), rules.account);
}

// Design, section 6: the device's slot and bucket in place of the account's, once a hello.
net::Awaitable<std::optional<channel::Decision>> Visit::decide_known_device(const channel::ClientRequest& request) {
  const auto& shown = *request.device;
  const std::chrono::sys_seconds now = std::chrono::floor<std::chrono::seconds>(wall_now());
  if (!is_about(shown.time, now) || is_older(shown.ticket.login_time, kTicketKeyLife, now)) co_return std::nullopt;
  const auto& rules = config_->guesses;
  const auto keys = keys_of(BucketKind::device, shown.ticket.device);
  auto guess = state_->guesses.take(keys, rules.slots, shown.hello_digest);
  if (!guess) co_return throttle(guess.error());
  if (guess->is_repeated()) co_return std::nullopt;
  auto found = co_await read_login(request, keys.target);
  if (!found) co_return refuse(AlertCode::unavailable);
  const bool is_charged = found->device_row && std::ranges::find(found->device_row->charged, shown.hello_digest) !=
                                                   found->device_row->charged.end();
  if (is_charged || !found->device_is_known || found->what != LoginRead::What::record ||
      found->generation != shown.ticket.generation)
    co_return std::nullopt;
  found->rows.target = std::move(found->device_row);
  device_ = shown.ticket.device;
  co_return answer_login(request, *std::move(guess), *std::move(found), rules.device);
}

net::Awaitable<std::optional<LoginRead>> Visit::read_login(const channel::ClientRequest& request,
                                                           const std::optional<store::BucketKey>& device) {
  const auto& accounts = *state_->accounts;
  const auto keys = keys_of(BucketKind::account, request.name);
  auto read =
      co_await state_->blocking(loop_, [&] { return accounts.read_login(request.name, keys, device, wall_now()); });
  if (!read) co_return std::nullopt;
  if (!*read) {
    state_->report(read->error());
    co_return std::nullopt;
  }
  co_return **std::move(read);
}

channel::Decision Visit::answer_login(const channel::ClientRequest& request, OpenGuess guess, LoginRead found,
                                      const store::BucketRule& rule) {
  is_known_ = found.what != LoginRead::What::unknown;
  generation_ = found.generation;
  if (found.what == LoginRead::What::lost_epoch)
    state_->log()->write(LogLevel::error, "epoch-missing", {{.key = "user", .value = user_}});
  if (const auto allowed = admit(guess, rule, config_->guesses, found.rows, wall_now()); !allowed)
    return throttle(allowed.error());
  const auto& answering = found.credential.record;
  record_ = {.epoch = answering.epoch,
             .suite = static_cast<std::uint8_t>(answering.suite),
             .ksf_profile = static_cast<std::uint8_t>(answering.ksf)};
  const auto suite = static_cast<channel::Suite>(found.credential.record.suite);
  if (suite != request.suite) return channel::RetryWith{.suite = suite};
  auto one = permit(std::move(guess), rule, is_known_);
  if (!one) return refuse(AlertCode::throttled, kFullRetry);
  return channel::LoginAnswer{.credential = std::move(found.credential), .permit = *std::move(one)};
}

Visit::Decided Visit::decide_code(const channel::ClientRequest& request) {
  by_ = EnteredBy::code;
  selector_ = as_text(request.name);
  auto& accounts = *state_->accounts;
  const auto keys = keys_of(BucketKind::code, request.name);
  const auto& rules = config_->guesses;
  auto guess = state_->guesses.take(keys, rules.code_slots);
  if (!guess) co_return throttle(guess.error());
  auto read = co_await state_->blocking(loop_, [&] { return accounts.read_code(request.name, keys, wall_now()); });
  if (!read) co_return refuse(AlertCode::unavailable);
  if (!*read) {
    state_->report(read->error());
    co_return refuse(AlertCode::unavailable);
  }
  auto& found = **read;
  if (const auto allowed = admit(*guess, rules.code, rules, found.rows, wall_now()); !allowed)
    co_return throttle(allowed.error());
  auto one = permit(std::move(*guess), rules.code, found.is_real);
  if (!one) co_return refuse(AlertCode::throttled, kFullRetry);
  is_known_ = found.is_real;
  user_ = std::move(found.name);
  generation_ = found.generation;
  co_return channel::CodeAnswer{.code = std::move(found.code), .permit = *std::move(one)};
}

// No guess: the bearer has proved that it knows the ticket's secret. In the common case the store is not asked.
Visit::Decided Visit::decide_ticket(const channel::ClientRequest& request) {
  by_ = EnteredBy::ticket;
  const auto& ticket = *request.ticket;
  user_ = as_text(ticket.name);
  is_known_ = true;
  generation_ = ticket.generation;
  const auto now = seconds_since_1970(wall_now());
  const auto lifetime = static_cast<std::uint64_t>(config_->limits.ticket_lifetime.count());
  if (ticket.server_name != request.server_name) co_return refuse(AlertCode::refused);
  if (ticket.expiry <= now || ticket.login_time + lifetime <= now) co_return refuse(AlertCode::refused);
  using enum Generations::Verdict;
  auto verdict = state_->generations.look(user_, generation_, net::Clock::now());
  if (verdict == ask_store) {
    auto& store = state_->accounts->store();
    const auto row = co_await state_->blocking(loop_, [&] { return store.find_user(user_); });
    if (row && !*row) state_->report(row->error());
    const bool is_current =
        row && *row && **row && (**row)->generation == generation_ && (**row)->state == store::UserState::enabled;
    verdict = is_current ? current : superseded;
  }
  if (verdict != current) co_return refuse(AlertCode::refused);
  if (!caller_.begin_waiting()) co_return refuse(AlertCode::throttled, kFullRetry);
  co_return channel::TicketAccepted{};
}

std::string Visit::name_for_log() const {
  if (is_known_) return user_;
  const auto& name = by_ == EnteredBy::code ? selector_ : user_;
  return "unknown:" + state_->accounts->keyring()->file().name_for_log(as_bytes(name));
}

net::Awaitable<void> Visit::conclude(const net::HandshakeError* failure) {
  Outcome outcome = Outcome::accepted;
  std::string_view error;
  if (failure != nullptr) {
    const auto& failed = failure->failure;
    outcome = refused_with_                                    ? outcome_of(*refused_with_)
              : failed && failed->to_send                      ? outcome_of(failed->to_send->code)
              : failure->error == net::Error::Kind::run_failed ? Outcome::refused
                                                               : Outcome::gone;
    if (failed) error = to_string(failed->error);
  }
  state_->counters.count(entrance_, outcome);
  const auto level = entrance_ == Entrance::none    ? LogLevel::debug
                     : outcome == Outcome::accepted ? LogLevel::info
                                                    : LogLevel::warning;
  const auto log = state_->log();
  if (log->writes(level))
    log->write(level, entrance_ == Entrance::none ? "no-hello" : "handshake",
               {{.key = "by", .value = to_string(entrance_)},
                {.key = "outcome", .value = to_string(outcome)},
                {.key = "user", .value = name_for_log()},
                {.key = "source", .value = net::to_string(source_)},
                {.key = "class", .value = error}});

  if (!guess_) co_return;
  if (outcome_->is_verified()) ++state_->counters.guesses_given_back;
  if (outcome_->has_failed()) {
    ++state_->counters.guesses_charged;
    const auto& rules = config_->guesses;
    const std::vector<store::Charge> charges = {
        {.key = guess_->keys().target,
         .refill_interval = rule_.refill_interval,
         .of_an_account = of_an_account_,
         .digest = guess_->digest(),
         .new_row = {{.key = guess_->keys().new_rows, .refill_interval = rules.new_rows.refill_interval}}},
        {.key = guess_->keys().source,
         .refill_interval = rules.source.refill_interval,
         .of_an_account = false,
         .digest = {},
         .new_row = {}}};
    auto& store = state_->accounts->store();
    // Until it is committed the slot stays taken: however long the store is away, nobody gets a guess for it.
    for (auto pause = 100ms;; pause = std::min(2 * pause, std::chrono::milliseconds(10s))) {
      const auto charged = co_await state_->blocking(loop_, [&] { return store.charge(charges, wall_now()); });
      if (charged && *charged) break;
      if (charged) state_->report(charged->error());
      if (!co_await loop_.sleep_until(net::after(pause))) {
        static_cast<void>(store.charge(charges, wall_now()));  // the server ends: a last try
        break;
      }
    }
  }
  guess_.reset();
}

}  // namespace pake::server
