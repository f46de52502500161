#include "login/connect.h"

#include <fmt/format.h>

#include <utility>

#include "login/session.h"
#include "pake/internal/try.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pipe/conversation.h"
#include "process/output.h"

namespace pake::cli::login {

int connect(const ConnectOptions& options) {
  const WithPassword use = [&](net::Loop& loop, Session& session,
                               const identity::Password& password) -> net::Awaitable<Expected<void>> {
    PAKE_CO_TRY(auto files, pipe::take_standard_files(loop));  // a login may cost a guess
    PAKE_CO_TRY(auto channel, co_await session.by_password(loop, password));
    auto stream = channel.link->open(options.service);
    if (!stream) co_return std::unexpected(Problem{.error = "cannot open a stream"});
    say_note(fmt::format("logged in as {}; the service is {}", options.login.destination.name, options.service));
    co_return co_await pipe::converse(loop, std::move(files), channel.link, std::move(*stream));
  };
  return run_with_password(options.login, use);
}

}  // namespace pake::cli::login
