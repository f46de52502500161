#include "login/passwd.h"

#include <fmt/format.h>

#include <utility>

#include "login/registration.h"
#include "login/session.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "process/output.h"
#include "process/run.h"

namespace pake::cli::login {
namespace {

// The new record is stretched no less than the one that has just opened the channel: design, section 4.
crypto::KsfProfile floor_of(const PasswdOptions& options, crypto::KsfProfile used) {
  return compare_strength(used, options.ksf_floor) > 0 ? used : options.ksf_floor;
}

}  // namespace

int passwd(const PasswdOptions& options) {
  const auto& destination = options.login.destination;
  std::optional<identity::Password> chosen;
  std::unique_ptr<net::Workers> workers;

  // Chosen once, whatever becomes of the first try of the old one. Both are asked for before anything is sent: the
  // server would not wait for somebody who thinks.
  const auto prepare = [&]() -> Expected<void> {
    if (chosen) return {};
    PAKE_TRY(
        const auto given,
        read_secret(options.chosen, SecretPrompt{.question = fmt::format("New password of {}: ", destination.typed),
                                                 .twice = true,
                                                 .check = check_password}));
    PAKE_TRY(chosen, password_of(*given));
    PAKE_TRY(workers, take_stretcher());
    return {};
  };
  const WithSession use = [&](net::Loops& loops, Session& session) -> net::Awaitable<Expected<void>> {
    auto& loop = loops.main();
    auto& remembering = session.remembering();
    PAKE_CO_TRYV(remembering.prepare());  // a password is changed only if the key that comes with it can be kept
    PAKE_CO_TRY(auto channel, co_await session.log_in(loop));
    PAKE_CO_TRYV(remembering.prepare());  // a first contact has used the place up
    PAKE_CO_TRY(const auto made, co_await make_record(loop, *workers, session.rng(), std::move(channel.link),
                                                      {.purpose = channel::RecordPurpose::change_password,
                                                       .name = destination.name,
                                                       .password = *chosen,
                                                       .ksf_floor = floor_of(options, channel.outcome.ksf),
                                                       .ksf_ceiling = options.login.ksf_ceiling}));
    say_note(fmt::format("the password of {} is changed; whoever was logged in as {} is logged out", destination.typed,
                         destination.name));
    co_return remembering.replace_server(made.server_public_key);
  };
  return run_logged_in(options.login, use, {.question = "Old password", .prepare = prepare, .by_password_alone = true});
}

}  // namespace pake::cli::login
