#include "login/registration.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "login/waiting.h"
#include "network/problems.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"

namespace pake::cli::login {
namespace {

using channel::RecordPurpose;

// What the user still has when nothing was stored.
const char* still_good(RecordPurpose purpose) {
  return purpose == RecordPurpose::enrol ? "the invitation is still good" : "the old password is still good";
}

Problem refused(const channel::RecordRefused& refusal, RecordPurpose purpose) {
  const bool is_enrolment = purpose == RecordPurpose::enrol;
  using enum channel::RecordRefusal;
  switch (refusal.code) {
    case throttled:
      return {.exit_code = kExitThrottled,
              .error =
                  fmt::format("the server takes no more registrations for now: try again in {} s", refusal.retry_after),
              .hint = is_enrolment ? "" : still_good(purpose)};
    case unavailable:
      return {.exit_code = kExitService,
              .error = "the server cannot reach its store",
              .hint = fmt::format("try again later; {}", still_good(purpose))};
    case not_allowed:
      if (!is_enrolment)
        return {.exit_code = kExitAuthFailed, .error = "the server does not let this user change the password"};
      return {.exit_code = kExitAuthFailed,
              .error = "this invitation is not for that name, or has been used meanwhile",
              .hint = "ask the operator for another one: pake user invite NAME"};
    case conflict:
      return {.exit_code = kExitFailed,
              .error = "the account was changed meanwhile",
              .hint = is_enrolment ? "try again" : "somebody else has changed the password or the account: try again"};
    case weak_ksf:
      return {.exit_code = kExitProtocol, .error = "the server wants a stronger stretching of passwords than this"};
    case refused:
    case other_suite:
    case declined:
      break;
  }
  return {.exit_code = kExitProtocol, .error = "the server refused the registration"};
}

Problem no_record(const client::RecordFailure& failure, RecordPurpose purpose) {
  using enum client::RecordFailure::What;
  switch (failure.what) {
    case cut:
      if (!failure.may_be_stored)
        return {.exit_code = kExitCutShort,
                .error = "the connection was cut before the password was stored",
                .hint = fmt::format("try again: {}", still_good(purpose))};
      return {.exit_code = kExitCutShort,
              .error = "the connection was cut before the server said that the password is stored",
              .hint = fmt::format("try to log in with it; if that fails, {}", still_good(purpose))};
    case client::RecordFailure::What::refused:
      return cli::login::refused(*failure.refusal, purpose);
    case weak_ksf:
      return {.exit_code = kExitProtocol,
              .error = fmt::format("the server wants passwords stretched by {}, which is outside what is allowed here",
                                   to_string(*failure.ksf)),
              .hint = "--ksf-floor and --ksf-ceiling say what is"};
    case no_memory:
      return no_memory_to_stretch();
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

  net::Awaitable<Expected<client::RecordMade>> run(client::NewRecord record) {
    const Waiting waiting(loop_, "storing the password, Ctrl-C ends this");
    loop_.spawn(make(shared_from_this(), std::move(record)));
    const auto end = co_await link_->run();
    while (!is_over_ && co_await over_.wait(net::kNever)) {  // it may be stretching
    }
    if (problem_) co_return std::unexpected(*problem_);
    if (!made_) co_return std::unexpected(channel_ended(end));
    co_return std::move(*made_);
  }

 private:
  static net::Awaitable<void> make(std::shared_ptr<Registration> self, client::NewRecord record) {
    const auto purpose = record.purpose;
    auto made = co_await client::make_record(self->loop_, self->workers_, *self->link_, std::move(record), self->rng_);
    if (made)
      self->made_ = std::move(*made);
    else
      self->problem_ = no_record(made.error(), purpose);
    self->is_over_ = true;
    self->over_.notify();
    self->link_->close(channel::CloseCode::done);
  }

  net::Loop& loop_;
  net::Workers& workers_;
  Rng& rng_;
  std::shared_ptr<net::ChannelLink> link_;
  std::optional<Problem> problem_;
  std::optional<client::RecordMade> made_;
  net::Signal over_{loop_};
  bool is_over_ = false;
};

}  // namespace

Expected<std::unique_ptr<net::Workers>> take_stretcher() {
  auto workers = net::Workers::start(1, 1);
  if (!workers) return std::unexpected(Problem{.error = "no thread for the stretching of the password"});
  return std::move(*workers);
}

net::Awaitable<Expected<client::RecordMade>> make_record(net::Loop& loop, net::Workers& workers, Rng& rng,
                                                         std::shared_ptr<net::ChannelLink> link,
                                                         client::NewRecord record) {
  const auto registration = std::make_shared<Registration>(loop, workers, rng, std::move(link));
  co_return co_await registration->run(std::move(record));
}

}  // namespace pake::cli::login
