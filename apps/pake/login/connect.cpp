#include "login/connect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <utility>

#include "login/session.h"
#include "pake/channel/program_status.h"
#include "pake/internal/try.h"
#include "pake/net/address.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pipe/conversation.h"
#include "pipe/exported.h"
#include "process/output.h"

namespace pake::cli::login {
namespace {

/// How the program behind the service has ended, if there is one: docs/wire.md, section 17.
class RemoteStatus {
 public:
  static constexpr channel::StatusTag kTag{};  // of the one stream that is opened

  /// False if the stream does not say it.
  bool take(const net::AcceptedStream& stream) {
    if (stream.service != channel::kStatusService || status_) return false;
    const auto told = channel::ProgramStatus::decode(stream.argument);
    if (!told || told->tag != kTag) return false;
    status_ = *told;
    return true;
  }
  [[nodiscard]] bool has_ended() const noexcept { return status_.has_value(); }

  [[nodiscard]] Expected<void> outcome() const {
    using How = channel::ProgramStatus::How;
    if (!status_ || (status_->how == How::exited && status_->value == 0)) return {};
    const int value = status_->value;
    if (status_->how == How::exited)
      return std::unexpected(
          Problem{.exit_code = kExitRemote, .error = fmt::format("the remote command failed with status {}", value)});
    const char* const name = ::sigdescr_np(value);
    return std::unexpected(
        Problem{.exit_code = kExitRemote,
                .error = fmt::format("the remote command failed with status {}: signal {}{}{}", kExitSignal + value,
                                     value, name == nullptr ? "" : ", ", name == nullptr ? "" : name)});
  }

 private:
  std::optional<channel::ProgramStatus> status_;
};

}  // namespace

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
    RemoteStatus remote;
    auto stream = channel.link->open(options.service, channel::encode_status_request(RemoteStatus::kTag));
    if (!stream) co_return std::unexpected(Problem{.error = "cannot open a stream"});
    if (!options.stdio)
      say_note(fmt::format("logged in as {}; the service is {}", options.login.destination.name, options.service));
    auto ended =
        co_await pipe::converse(loop, std::move(files), channel.link, std::move(*stream),
                                options.stdio ? pipe::Style::bytes : pipe::Style::by_terminal,
                                {.take =
                                     [&](net::AcceptedStream& other) {
                                       return remote.take(other) || session.take_stream(loop, channel.link, other);
                                     },
                                 .are_busy = [&] { return session.is_migrating(); },
                                 .takes_no_more = [&] { return remote.has_ended(); }});
    session.collect_ticket(*channel.link);
    if (ended) co_return remote.outcome();
    co_return ended;
  };
  if (options.json) leave_notes_out();
  return run_logged_in(options.login, use,
                       {.events = Events(options.json ? std::optional(STDERR_FILENO) : std::nullopt)});
}

}  // namespace pake::cli::login
