#include "login/enroll.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "login/registration.h"
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

int enroll(const EnrollOptions& options) {
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
    PAKE_TRY(const auto workers, take_stretcher());

    const Asking asking;
    PAKE_TRY(auto remembering, Remembering::open(destination, options.login.remember));
    PAKE_TRYV(remembering.prepare());
    Session session(options.login, trace, asking, std::move(remembering));
    return run_to_the_end([&](net::Loops& loops) -> net::Awaitable<Expected<void>> {
      PAKE_CO_TRY(auto channel, co_await session.by_invitation(loops.main(), *code));
      say_first_contact(destination);
      PAKE_CO_TRY(const auto made, co_await make_record(loops.main(), *workers, session.rng(), channel.link,
                                                        {.purpose = channel::RecordPurpose::enrol,
                                                         .name = destination.name,
                                                         .password = password,
                                                         .ksf_floor = options.ksf_floor,
                                                         .ksf_ceiling = options.login.ksf_ceiling}));
      say_note(fmt::format("enrolled: log in with  pake connect {}", destination.typed));
      co_return session.remembering().replace_server(made.server_public_key);
    });
  });
}

}  // namespace pake::cli::login
