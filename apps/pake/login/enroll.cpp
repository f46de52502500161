#include "login/enroll.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "login/session.h"
#include "network/problems.h"
#include "pake/client/record.h"
#include "pake/identity/invitation.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/workers.h"
#include "process/output.h"
#include "process/run.h"

namespace pake::cli::login {
namespace {

Problem refused(const channel::RecordRefused& refusal) {
  using enum channel::RecordRefusal;
  switch (refusal.code) {
    case throttled:
      return {.exit_code = kExitThrottled,
              .error = fmt::format("the server takes no more registrations for now: try again in {} s",
                                   refusal.retry_after)};
    case unavailable:
      return {.exit_code = kExitService,
              .error = "the server cannot reach its store",
              .hint = "try again later; the invitation is still good"};
    case not_allowed:
      return {.exit_code = kExitAuthFailed,
              .error = "this invitation is not for that name, or has been used meanwhile",
              .hint = "ask the operator for another one: pake user invite NAME"};
    case conflict:
      return {.exit_code = kExitFailed, .error = "the account was changed meanwhile", .hint = "try again"};
    case weak_ksf:
      return {.exit_code = kExitProtocol, .error = "the server wants a stronger stretching of passwords than this"};
    case refused:
    case other_suite:
    case declined:
      break;
  }
  return {.exit_code = kExitProtocol, .error = "the server refused the registration"};
}

Problem no_record(const client::RecordFailure& failure) {
  using enum client::RecordFailure::What;
  switch (failure.what) {
    case cut:
      return {.exit_code = kExitCutShort,
              .error = "the connection was cut before the server said that the password is stored",
              .hint = "try to log in with it; if that fails, the invitation is still good"};
    case client::RecordFailure::What::refused:
      return cli::login::refused(*failure.refusal);
    case weak_ksf:
      return {.exit_code = kExitProtocol,
              .error = fmt::format("the server wants passwords stretched by {}, which is outside what is allowed here",
                                   to_string(*failure.ksf)),
              .hint = "--ksf-floor and --ksf-ceiling say what is"};
    case no_memory:
      return {.exit_code = kExitFailed, .error = "no memory for the stretching of the password"};
    case malformed:
    case declined:
      break;
  }
  return {.exit_code = kExitProtocol, .error = "what the server sent is not of this protocol"};
}

/// Held by each of its coroutines.
class Registration : public std::enable_shared_from_this<Registration> {
 public:
  Registration(net::Loop& loop, net::Workers& workers, Rng& rng, std::shared_ptr<net::ChannelLink> link)
      : loop_(loop), workers_(workers), rng_(rng), link_(std::move(link)) {}

  net::Awaitable<Expected<void>> run(client::NewRecord record) {
    loop_.spawn(make(shared_from_this(), std::move(record)));
    const auto end = co_await link_->run();
    if (problem_) co_return std::unexpected(*problem_);
    if (!is_made_) co_return std::unexpected(channel_ended(end));
    co_return Expected<void>();
  }

 private:
  static net::Awaitable<void> make(std::shared_ptr<Registration> self, client::NewRecord record) {
    auto made = co_await client::make_record(self->loop_, self->workers_, *self->link_, std::move(record), self->rng_);
    self->is_made_ = made.has_value();
    if (!made) self->problem_ = no_record(made.error());
    self->link_->close(channel::CloseCode::done);
  }

  net::Loop& loop_;
  net::Workers& workers_;
  Rng& rng_;
  std::shared_ptr<net::ChannelLink> link_;
  std::optional<Problem> problem_;
  bool is_made_ = false;
};

Problem no_invitation(const std::string& source) {
  return {.exit_code = kExitUsage,
          .error =
              fmt::format("what {} gives is not an invitation code: it is a number and four words of the list", source),
          .hint = "type it as the operator gave it, like 1234567-word-word-word-word; nothing was sent"};
}

std::optional<Problem> check_invitation(Bytes typed) {
  if (identity::parse_invitation_code(typed)) return std::nullopt;
  return no_invitation("was typed");
}

}  // namespace

int enroll(const RecordOptions& options) {
  return run_traced(options.login, [&](std::optional<pipe::Trace>& trace) -> Expected<int> {
    const auto& destination = options.login.destination;
    PAKE_TRY(const auto typed,
             read_secret(options.code, SecretPrompt{.question = "Invitation code: ", .check = check_invitation}));
    auto code = identity::parse_invitation_code(typed->text.reveal());
    if (!code) return std::unexpected(no_invitation(typed->source));
    PAKE_TRY(const auto given,
             read_secret(options.login.password,
                         SecretPrompt{.question = fmt::format("New password of {}: ", destination.typed),
                                      .twice = true,
                                      .check = check_password}));
    PAKE_TRY(const auto password, password_of(*given));
    auto workers = net::Workers::start(1, 1);
    if (!workers) return std::unexpected(Problem{.error = "no thread for the stretching of the password"});

    Session session(options.login, trace);
    const auto exit_code = run_to_the_end([&](net::Loops& loops) -> net::Awaitable<Expected<void>> {
      PAKE_CO_TRY(auto channel, co_await session.by_invitation(loops.main(), *code));
      const auto registration = std::make_shared<Registration>(loops.main(), **workers, session.rng(), channel.link);
      co_return co_await registration->run({.purpose = channel::RecordPurpose::enrol,
                                            .name = destination.name,
                                            .password = password,
                                            .ksf_floor = options.ksf_floor,
                                            .ksf_ceiling = options.login.ksf_ceiling});
    });
    if (exit_code == kExitOk) say_note(fmt::format("enrolled: log in with  pake connect {}", destination.typed));
    return exit_code;
  });
}

}  // namespace pake::cli::login
