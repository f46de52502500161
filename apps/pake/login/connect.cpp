#include "login/connect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "login/session.h"
#include "pake/internal/try.h"
#include "pake/net/address.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pipe/conversation.h"
#include "pipe/exported.h"
#include "process/output.h"

namespace pake::cli::login {

int connect(const ConnectOptions& options) {
  const WithSession use = [&](net::Loops& loops, Session& session) -> net::Awaitable<Expected<void>> {
    auto& loop = loops.main();
    PAKE_CO_TRY(auto files, pipe::take_standard_files(loop));  // a login may cost a guess
    PAKE_CO_TRY(auto channel, co_await session.log_in(loop));
    session.events().say("connected", {{"user", options.login.destination.name},
                                       {"host", net::to_string(options.login.destination.address)},
                                       {"service", options.export_label ? "" : options.service}});
    if (options.export_label) {
      auto printed = co_await pipe::print_exported(loop, channel.link, *options.export_label);
      session.collect_ticket(*channel.link);
      co_return printed;
    }
    auto stream = channel.link->open(options.service);
    if (!stream) co_return std::unexpected(Problem{.error = "cannot open a stream"});
    if (!options.stdio)
      say_note(fmt::format("logged in as {}; the service is {}", options.login.destination.name, options.service));
    auto ended = co_await pipe::converse(
        loop, std::move(files), channel.link, std::move(*stream),
        options.stdio ? pipe::Style::bytes : pipe::Style::by_terminal,
        {.take = [&](net::AcceptedStream& other) { return session.take_stream(loop, channel.link, other); },
         .are_busy = [&] { return session.is_migrating(); }});
    session.collect_ticket(*channel.link);
    co_return ended;
  };
  if (options.json) leave_notes_out();
  return run_logged_in(options.login, use,
                       {.events = Events(options.json ? std::optional(STDERR_FILENO) : std::nullopt)});
}

}  // namespace pake::cli::login
