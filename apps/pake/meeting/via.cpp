#include "meeting/via.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

#include "network/problems.h"
#include "pake/internal/try.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/server/config.h"

namespace pake::cli::meeting {
namespace {

constexpr std::chrono::seconds kLastBytes{5};
constexpr std::chrono::seconds kGoodbye{3};
constexpr std::chrono::milliseconds kLook{20};

Problem usage(std::string error, std::string hint = {}) {
  return {.exit_code = kExitUsage, .error = std::move(error), .hint = std::move(hint)};
}

std::string check_service(std::string_view name) {
  return server::is_service_name(name)
             ? ""
             : "a service's name has 1 to 64 letters, digits, dots, underscores and hyphens, a letter first";
}

}  // namespace

std::string ViaOptions::for_the_other_side() const {
  const auto address = net::to_string(login.destination.address);
  return is_user() ? "NAME@" + address : address;
}

bool ViaOptions::may_go_directly() const {
  const auto* const tcp = std::get_if<net::TcpAddress>(&login.destination.address);
  if (no_direct || tcp == nullptr) return false;
  return !tcp->host.starts_with("127.") && tcp->host != "::1" && tcp->host != "localhost";
}

void add_via(Command& command, ViaOptions& options, Beside beside) {
  auto server = login::destination(options.login.destination);
  server.name = "[NAME@]HOST";
  command.settings.push_back({.flag = "--via",
                              .key = "via",
                              .value = std::move(server),
                              .help = "Meet behind this server, which passes on what it cannot read; NAME logs in "
                                      "first, as in pake connect"});
  if (beside == Beside::nothing)
    for (auto& setting : secret_settings(options.login.password)) {
      setting.hidden = true;  // what two people type is a code: pages of the commands that log in have these
      command.settings.push_back(std::move(setting));
    }
  command.settings.push_back({.flag = "--via-service",
                              .key = "via_service",
                              .value = text(options.service, "SERVICE", check_service),
                              .help = "With --via NAME@HOST: what the service is called by which users meet there"});
  command.settings.push_back({.flag = "--no-direct",
                              .value = flag(options.no_direct),
                              .help = "With --via: let all bytes pass through the server, and tell the other side no "
                                      "address of this machine"});
  command.settings.push_back(login::hosts_setting(options.hosts));
  login::add_usual_configuration(command);
}

Expected<void> settle_via(ViaOptions& options, const Given& given, std::initializer_list<const char*> other_ways,
                          SecretOptions* code) {
  auto& login = options.login;
  for (const auto* const other : other_ways) {
    if (!given.contains(other)) continue;
    if (given.contains("--via"))
      return std::unexpected(usage(fmt::format("{} and --via are two ways to find the other side: choose one",
                                               *other == '-' ? other : "an address")));
    login.destination = {};
  }
  if (options.is_given()) static_cast<void>(login::apply_host(options.hosts, given, {.login = login}));
  if (code == nullptr && !options.is_user())
    for (const auto* const option : {"--password-fd", "--password-file", "--password-prompt"})
      if (given.contains(option))
        return std::unexpected(usage(fmt::format("{} is for a server's user: --via NAME@HOST", option)));
  if (given.contains("--via-service") && !options.is_user())
    return std::unexpected(
        usage("--via-service is for a server's user: --via NAME@HOST; strangers meet without a service"));
  if (code != nullptr && options.is_user()) {
    code->kind = SecretKind::invitation;
    login.password.fd = std::exchange(code->other_fd, std::nullopt);
    if (code->other_file) login.password.file = std::exchange(code->other_file, std::nullopt);
    login.password.prompt = given.contains("--password-prompt");
    code->prompt = given.contains("--code-prompt");
  }
  return {};
}

/// What was written is read by the server even if this side has gone on to something else.
class MeetingPoint::UserStream final : public net::Stream {
 public:
  UserStream(std::shared_ptr<MeetingPoint> point, net::Loop& loop, std::unique_ptr<net::Stream> stream)
      : point_(std::move(point)), loop_(loop), stream_(std::move(stream)) {}
  UserStream(const UserStream&) = delete;
  UserStream& operator=(const UserStream&) = delete;
  ~UserStream() override {
    ++point_->ending_;
    loop_.spawn(end_stream(std::move(point_), std::move(stream_)));
  }

  net::Awaitable<net::Outcome<std::size_t>> read_some(MutableBytes into, net::Deadline deadline) override {
    return stream_->read_some(into, deadline);
  }
  net::Awaitable<net::Outcome<void>> write_all(Bytes bytes, net::Deadline deadline) override {
    return stream_->write_all(bytes, deadline);
  }
  net::Awaitable<net::Outcome<std::size_t>> write_some(Bytes bytes, net::Deadline deadline) override {
    return stream_->write_some(bytes, deadline);
  }
  net::Awaitable<net::Outcome<void>> wait_acknowledged(net::Deadline deadline) override {
    return stream_->wait_acknowledged(deadline);
  }
  void shutdown_write() noexcept override { stream_->shutdown_write(); }
  void reset(channel::ResetCode code) override { stream_->reset(code); }
  [[nodiscard]] bool has_peer_ended() noexcept override { return stream_->has_peer_ended(); }
  void interrupt() override { stream_->interrupt(); }
  [[nodiscard]] const net::Address& peer() const noexcept override { return stream_->peer(); }

 private:
  std::shared_ptr<MeetingPoint> point_;
  net::Loop& loop_;
  std::unique_ptr<net::Stream> stream_;
};

Expected<std::shared_ptr<MeetingPoint>> MeetingPoint::open(const ViaOptions& options,
                                                           std::optional<pipe::Trace>& trace) {
  auto point = std::make_shared<MeetingPoint>(options, trace);
  if (!options.is_user()) return point;
  PAKE_TRY(auto remembering, login::Remembering::open(options.login.destination, options.login.remember));
  point->session_.emplace(options.login, trace, point->asking_, std::move(remembering));
  PAKE_TRYV(point->session_->take_credentials());
  PAKE_TRYV(point->session_->ask());
  return point;
}

std::string MeetingPoint::name() const { return net::to_string(options_.login.destination.address); }

net::Awaitable<Expected<std::unique_ptr<net::Stream>>> MeetingPoint::connect(net::Loop& loop) {
  if (session_) {
    PAKE_CO_TRY(const auto link, co_await channel(loop));
    auto stream = link->open(options_.service);
    if (!stream) co_return std::unexpected(Problem{.error = "cannot open a stream to the server"});
    co_return std::make_unique<UserStream>(shared_from_this(), loop, std::move(*stream));
  }
  const auto& address = options_.login.destination.address;
  auto connected = co_await net::connect(loop, address, net::after(options_.login.deadline));
  if (!connected) co_return std::unexpected(cannot_connect(address, connected.error(), "pake serve --meet"));
  co_return trace_ ? trace_->follow(std::move(*connected)) : std::move(*connected);
}

net::Awaitable<Expected<std::shared_ptr<net::ChannelLink>>> MeetingPoint::channel(net::Loop& loop) {
  if (link_) co_return link_;
  PAKE_CO_TRY(auto channel, co_await session_->log_in_again(loop));
  link_ = std::move(channel.link);
  loop.spawn(carry(shared_from_this(), link_));
  loop.spawn(take_streams(shared_from_this(), loop, link_));
  co_return link_;
}

net::Awaitable<void> MeetingPoint::carry(std::shared_ptr<MeetingPoint> self, std::shared_ptr<net::ChannelLink> link) {
  static_cast<void>(co_await link->run());
  self->session_->collect_ticket(*link);
  if (self->link_ == link) self->link_.reset();
}

net::Awaitable<void> MeetingPoint::take_streams(std::shared_ptr<MeetingPoint> self, net::Loop& loop,
                                                std::shared_ptr<net::ChannelLink> link) {
  while (auto accepted = co_await link->accept(net::kNever))
    if (!self->session_->take_stream(loop, link, *accepted))
      accepted->stream->reset(channel::ResetCode::no_such_service);
  link->delivered();
}

net::Awaitable<void> MeetingPoint::end_stream(std::shared_ptr<MeetingPoint> self, std::unique_ptr<net::Stream> stream) {
  stream->shutdown_write();
  std::array<std::uint8_t, 1024> rest{};
  const auto deadline = net::after(kLastBytes);
  while (co_await stream->read_some(rest, deadline)) {
  }
  --self->ending_;
}

net::Awaitable<void> MeetingPoint::leave(net::Loop& loop) {
  const auto deadline = net::after(kLastBytes);
  while (link_ && ending_ != 0 && net::Clock::now() < deadline)
    if (!co_await loop.sleep_until(net::after(kLook))) break;
  if (link_) link_->close(channel::CloseCode::done, net::after(kGoodbye));
  while (link_)
    if (!co_await loop.sleep_until(net::after(kLook))) break;
  link_.reset();
}

}  // namespace pake::cli::meeting
