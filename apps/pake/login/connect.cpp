#include "login/connect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <utility>

#include "login/session.h"
#include "network/problems.h"
#include "pake/channel/program_status.h"
#include "pake/internal/try.h"
#include "pake/net/address.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pipe/conversation.h"
#include "pipe/exported.h"
#include "process/output.h"
#include "terminal/escape.h"

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

/// A key for a program behind a service, which gets it from the server, and for whoever reads our stdout. No data
/// passes.
class SharedKey : public std::enable_shared_from_this<SharedKey> {
 public:
  SharedKey(net::Loop& loop, Session& session, std::shared_ptr<net::ChannelLink> link)
      : loop_(loop), session_(session), link_(std::move(link)) {}

  net::Awaitable<Expected<void>> run(const std::string& service, const std::string& label) {
    PAKE_CO_TRY(const auto key, pipe::exported_key(*link_, label));
    auto stream = link_->open(service, channel::encode_status_request(RemoteStatus::kTag));
    if (!stream) co_return std::unexpected(Problem{.error = "cannot open a stream"});
    loop_.spawn(take_others(shared_from_this()));
    loop_.spawn(await_end(shared_from_this(), std::move(*stream)));
    const auto end = co_await link_->run();
    if (problem_) co_return std::unexpected(*std::move(problem_));
    if (end.end != channel::EndReason::closed) co_return std::unexpected(channel_ended(end));
    if (!remote_.has_ended())
      co_return std::unexpected(
          Problem{.exit_code = kExitService,
                  .error = fmt::format("the service '{}' is no program: nobody there takes a key", escape(service))});
    PAKE_CO_TRYV(remote_.outcome());
    co_return pipe::print_key(key);
  }

 private:
  static net::Awaitable<void> take_others(std::shared_ptr<SharedKey> self) {
    while (auto other = co_await self->link_->accept(net::kNever))
      if (!self->remote_.take(*other) && !self->session_.take_stream(self->loop_, self->link_, *other))
        other->stream->reset(channel::ResetCode::too_many);
  }
  // What the program writes is nobody's: stdout is the key's.
  static net::Awaitable<void> await_end(std::shared_ptr<SharedKey> self, std::unique_ptr<net::Stream> stream) {
    stream->shutdown_write();
    Buffer dropped(kDropped);
    net::Outcome<std::size_t> count = 0;
    while (count) count = co_await stream->read_some(dropped, net::kNever);
    if (count.error() != net::Error::Kind::closed) self->problem_ = stream_ended(count.error());
    self->link_->close(channel::CloseCode::done);
  }

  static constexpr std::size_t kDropped = 4096;

  net::Loop& loop_;
  Session& session_;
  std::shared_ptr<net::ChannelLink> link_;
  RemoteStatus remote_;
  std::optional<Problem> problem_;
};

}  // namespace

int connect(const ConnectOptions& options) {
  const WithSession use = [&](net::Loops& loops, Session& session) -> net::Awaitable<Expected<void>> {
    auto& loop = loops.main();
    PAKE_CO_TRY(auto files, pipe::take_standard_files(loop));  // a login may cost a guess
    PAKE_CO_TRY(auto channel, co_await session.log_in(loop));
    session.events().say("connected",
                         {{"user", options.login.destination.name},
                          {"host", net::to_string(options.login.destination.address)},
                          {"service", options.export_label && !options.gives_key_to_service ? "" : options.service}});
    if (options.export_label) {
      auto printed = options.gives_key_to_service ? co_await std::make_shared<SharedKey>(loop, session, channel.link)
                                                        ->run(options.service, *options.export_label)
                                                  : co_await pipe::print_exported(channel.link, *options.export_label);
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
