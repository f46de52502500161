#include "served_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bridge.h"
#include "forwarding_stream.h"
#include "meetings.h"
#include "pake/channel/publish.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/relay.h"
#include "services.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kTicketPatience = 1s;
constexpr auto kEndsWithin = 2s;  // an ended session's peer has so long to close as well

}  // namespace

/// A stream of the session as a service has it: the session can reset it as long as it lives.
class ServedSession::Held final : public ForwardingStream {
 public:
  Held(std::shared_ptr<ServedSession> session, std::unique_ptr<net::Stream> stream)
      : ForwardingStream(*stream),
        session_(std::move(session)),
        stream_(std::move(stream)),
        place_(session_->streams_.insert(session_->streams_.end(), stream_.get())) {
    ++session_->info_->open_streams;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() override {
    session_->streams_.erase(place_);
    stream_.reset();
    --session_->info_->open_streams;
    session_->stream_ended();
  }

 private:
  std::shared_ptr<ServedSession> session_;
  std::unique_ptr<net::Stream> stream_;
  HeldStreams::iterator place_;
};

ServedSession::ServedSession(std::shared_ptr<State> state, net::Loop& loop, std::shared_ptr<const Config> config,
                             std::shared_ptr<net::ChannelLink> link, SessionFacts facts, std::uint64_t generation,
                             net::Address source, channel::TicketFacts ticket, channel::DevicePlace device_place)
    : state_(std::move(state)),
      loop_(loop),
      config_(std::move(config)),
      link_(std::move(link)),
      info_(std::make_shared<SessionInfo>()),
      source_(std::move(source)),
      ticket_(std::make_unique<const channel::TicketFacts>(std::move(ticket))),
      device_place_(device_place),
      since_(net::Clock::now()),
      idle_since_(since_) {
  info_->facts = std::move(facts);
  info_->generation = generation;
}

void ServedSession::begin() {
  const auto& facts = info_->facts;
  const auto& limits = config_->limits;
  if (!state_->sessions.enter(info_, weak_from_this(), loop_, limits.sessions, limits.sessions_per_user)) {
    state_->log()->write(LogLevel::warning, "session-refused",
                         {{.key = "user", .value = facts.user}, {.key = "why", .value = "too-many"}});
    close();
  } else if (state_->generations.look(facts.user, info_->generation, net::Clock::now()) ==
             Generations::Verdict::superseded) {
    end(EndCause::account_changed);  // the feed was faster than the handshake
  } else {
    lend_ticket();
    ask_for_newer_record();
  }
  link_->accept_each([this](net::Outcome<net::AcceptedStream> accepted) {
    if (accepted)
      take(*std::move(accepted));
    else
      no_more_streams();
  });
}

void ServedSession::ended(const net::LinkEnd& end) {
  const auto& facts = info_->facts;
  state_->sessions.leave(*info_);
  state_->counters.bytes_from_clients += info_->bytes_in;
  state_->counters.bytes_to_clients += info_->bytes_out;
  state_->log()->write(LogLevel::info, "session-ended",
                       {{.key = "session", .value = static_cast<std::int64_t>(facts.id)},
                        {.key = "user", .value = facts.user},
                        {.key = "how", .value = to_string(end.end)},
                        {.key = "cause", .value = cause_ ? to_string(*cause_) : std::string_view("client")},
                        {.key = "seconds",
                         .value = std::chrono::duration_cast<std::chrono::seconds>(net::Clock::now() - since_).count()},
                        {.key = "bytes_in", .value = static_cast<std::int64_t>(info_->bytes_in)},
                        {.key = "bytes_out", .value = static_cast<std::int64_t>(info_->bytes_out)}});
}

// A ticket for the channel that begins; a chain of them ends where the login by password says.
void ServedSession::lend_ticket() {
  if (!ticket_) return;
  if (info_->facts.by != EnteredBy::password || device_place_ == channel::DevicePlace::none) return send_ticket();
  is_lending_ = true;
  loop_.spawn(
      remember_device(shared_from_this(), state_->accounts->bucket(store::BucketKind::device, Bytes(ticket_->device))));
}

void ServedSession::send_ticket() {
  const auto now = wall_now();
  const auto keys = state_->accounts->keyring()->ticket_keys(now);
  const auto sealed = channel::seal_ticket(*keys, *ticket_, link_->resumption_secret(), *state_->rng);
  const auto lifetime = ticket_->expiry - std::min(ticket_->expiry, seconds_since_1970(now));
  if (sealed) static_cast<void>(link_->send_ticket(static_cast<std::uint32_t>(lifetime), *sealed));
  ticket_.reset();
}

// The device first, then the ticket that names it: whoever has the ticket is known. If the store does not answer, the
// ticket opens channels all the same; it only gets nobody in while the account is under attack.
net::Awaitable<void> ServedSession::remember_device(std::shared_ptr<ServedSession> self, store::BucketKey device) {
  auto& store = self->state_->accounts->store();
  const auto& user = self->info_->facts.user;
  const auto added =
      co_await self->state_->blocking(self->loop_, [&] { return store.add_device(user, device, wall_now()); });
  const bool is_removed = added && !*added && added->error().code == store::StoreErrc::not_found;
  if (added && !*added && !is_removed) self->state_->report(added->error());
  self->send_ticket();
  self->end_lending();
}

void ServedSession::end_lending() {
  if (std::exchange(is_lending_, false)) stream_ended();
}

// The peer has closed and hears of the ticket before it hears that we do; but it does not wait long for a store.
net::Awaitable<void> ServedSession::stop_lending(std::shared_ptr<ServedSession> self) {
  static_cast<void>(co_await self->loop_.sleep_until(net::after(kTicketPatience)));
  self->end_lending();
}

// During a migration: on a stream of the server's own. A client that cannot, or will not, resets it.
void ServedSession::ask_for_newer_record() {
  if (!record_ || info_->facts.by != EnteredBy::password) return;
  const auto current = state_->accounts->current_parameters(wall_now());
  const auto ksf = crypto::decode_ksf_profile(current.ksf_profile);
  if (*record_ == current || !ksf) return;
  const channel::MigrationOffer offer{.suite = static_cast<channel::Suite>(current.suite), .ksf = *ksf};
  auto opened = link_->open(channel::kMigrationService, offer.encode());
  if (!opened) return;
  auto held = std::make_unique<Held>(shared_from_this(), *std::move(opened));
  migration_ = held.get();
  loop_.spawn(serve_migration(shared_from_this(), std::move(held)));
}

net::Awaitable<void> ServedSession::serve_migration(std::shared_ptr<ServedSession> self,
                                                    std::unique_ptr<net::Stream> stream) {
  static_cast<void>(
      co_await serve_account_stream(self->state_, self->loop_, self->account_channel(), std::move(stream)));
  self->migration_ = nullptr;
}

void ServedSession::no_more_streams() {
  peer_has_closed_ = true;
  if (migration_ != nullptr) migration_->reset(channel::ResetCode::cancelled);  // nobody waits for it
  if (is_lending_) loop_.spawn(stop_lending(shared_from_this()));
  stream_ended();
}

void ServedSession::take(net::AcceptedStream accepted) {
  using channel::ResetCode;
  const auto config = state_->config();  // the newest: a reload holds for the next stream
  const auto service = config->services.find(accepted.service);
  if (is_ending_ || is_draining_) return refuse(std::move(accepted), ResetCode::cancelled, "ending");
  if (accepted.service == channel::kAccountService && info_->facts.by == EnteredBy::password) {
    auto held = std::make_unique<Held>(shared_from_this(), std::move(accepted.stream));
    return loop_.spawn(serve_account(shared_from_this(), std::move(held)));
  }
  if (accepted.service == channel::kPublishService) return take_publication(std::move(accepted));
  if (service == config->services.end()) {
    const auto published = config->published.find(accepted.service);
    if (published != config->published.end()) return take_published(std::move(accepted), published->second);
    return refuse(std::move(accepted), ResetCode::no_such_service, "no-service");
  }
  if (!may_use(service->second, info_->facts.user))
    return refuse(std::move(accepted), ResetCode::not_allowed, "not-allowed");
  if (streams_.size() >= config->limits.streams_per_session)
    return refuse(std::move(accepted), ResetCode::too_many, "too-many");
  ++state_->counters.streams;
  auto held = std::make_unique<Held>(shared_from_this(), std::move(accepted.stream));
  if (std::holds_alternative<MeetService>(service->second.what))
    return loop_.spawn(serve_meeting_stream(shared_from_this(), std::move(held)));
  loop_.spawn(serve(shared_from_this(), service->second, std::move(accepted.service),
                    channel::find_status_request(accepted.argument), std::move(held)));
}

// This user brings a service.
void ServedSession::take_publication(net::AcceptedStream accepted) {
  using channel::ResetCode;
  const auto config = state_->config();
  const std::string name(as_text(accepted.argument));
  accepted.service = name;  // for the log
  const auto allowed = config->published.find(name);
  if (allowed == config->published.end()) return refuse(std::move(accepted), ResetCode::no_such_service, "no-service");
  if (allowed->second.publisher != info_->facts.user)
    return refuse(std::move(accepted), ResetCode::not_allowed, "not-allowed");
  const Publisher publisher{
      .user = info_->facts.user, .session = info_->facts.id, .loop = &loop_, .served = weak_from_this()};
  if (!state_->publications.publish(name, publisher))
    return refuse(std::move(accepted), ResetCode::too_many, "published-by-newer");
  auto held = std::make_unique<Held>(shared_from_this(), std::move(accepted.stream));
  published_.emplace(name, held.get());
  loop_.spawn(serve_publication(shared_from_this(), name, std::move(held)));
}

// This user asks for a service that somebody brings.
void ServedSession::take_published(net::AcceptedStream accepted, const PublishedConfig& published) {
  using channel::ResetCode;
  if (published.users && !published.users->contains(info_->facts.user))
    return refuse(std::move(accepted), ResetCode::not_allowed, "not-allowed");
  if (streams_.size() >= state_->config()->limits.streams_per_session)
    return refuse(std::move(accepted), ResetCode::too_many, "too-many");
  auto publisher = state_->publications.find(accepted.service, published);
  if (!publisher) return refuse(std::move(accepted), ResetCode::backend_unreachable, "nobody-publishes");
  ++state_->counters.streams;
  auto held = std::make_unique<Held>(shared_from_this(), std::move(accepted.stream));
  loop_.spawn(serve_published(shared_from_this(), std::move(accepted.service), *std::move(publisher), std::move(held)));
}

// The name is this session's as long as the stream is open.
net::Awaitable<void> ServedSession::serve_publication(std::shared_ptr<ServedSession> self, std::string name,
                                                      std::unique_ptr<net::Stream> stream) {
  constexpr auto kAnswerTime = 10s;
  const auto& facts = self->info_->facts;
  self->state_->log()->write(LogLevel::info, "published",
                             {{.key = "session", .value = static_cast<std::int64_t>(facts.id)},
                              {.key = "user", .value = facts.user},
                              {.key = "service", .value = name}});
  const std::array answer = {channel::kPublished};
  bool is_over = false;
  if (co_await stream->write_all(answer, net::after(kAnswerTime))) {
    std::array<std::uint8_t, 1> more{};  // nothing is to be said on it
    const auto read = co_await stream->read_some(more, net::kNever);
    is_over = !read && read.error() == net::Error::Kind::closed;
  }
  self->published_.erase(name);
  self->state_->publications.withdraw(name, facts.id);
  if (is_over)
    stream->shutdown_write();
  else
    stream->reset(channel::ResetCode::cancelled);
  self->state_->log()->write(LogLevel::info, "unpublished",
                             {{.key = "session", .value = static_cast<std::int64_t>(facts.id)},
                              {.key = "user", .value = facts.user},
                              {.key = "service", .value = name}});
}

void ServedSession::unpublish(const std::string& name, channel::ResetCode code) {
  const auto found = published_.find(name);
  if (found != published_.end()) found->second->reset(code);
}

// The publisher's session may live on another loop: a bridge leads there.
net::Awaitable<void> ServedSession::serve_published(std::shared_ptr<ServedSession> self, std::string name,
                                                    Publisher publisher, std::unique_ptr<net::Stream> stream) {
  auto bridge = make_bridge(self->loop_, *publisher.loop, self->source_);
  publisher.loop->post(
      publisher.served,
      [](ServedSession& session, const std::string& which, const std::string& user, std::unique_ptr<net::Stream> end) {
        session.carry(which, user, std::move(end));
      },
      name, self->info_->facts.user, std::move(bridge.second));
  const auto end = co_await net::relay(self->loop_, std::move(stream), std::move(bridge.first));
  self->info_->bytes_in += end.from_first;
  self->info_->bytes_out += end.from_second;
  self->log_stream(name, {.how = end.complete ? StreamEnd::How::complete : StreamEnd::How::cut});
}

void ServedSession::carry(const std::string& name, const std::string& user, std::unique_ptr<net::Stream> end) {
  using channel::ResetCode;
  if (is_ending_ || is_draining_ || !published_.contains(name)) return end->reset(ResetCode::backend_unreachable);
  if (streams_.size() >= state_->config()->limits.streams_per_session) return end->reset(ResetCode::too_many);
  auto opened = link_->open(name, as_bytes(user));
  if (!opened)
    return end->reset(opened.error() == Errc::exhausted ? ResetCode::too_many : ResetCode::backend_unreachable);
  auto held = std::make_unique<Held>(shared_from_this(), *std::move(opened));
  loop_.spawn(carry_stream(shared_from_this(), std::move(end), std::move(held)));
}

net::Awaitable<void> ServedSession::carry_stream(std::shared_ptr<ServedSession> self, std::unique_ptr<net::Stream> end,
                                                 std::unique_ptr<net::Stream> stream) {
  const auto passed = co_await net::relay(self->loop_, std::move(end), std::move(stream));
  self->info_->bytes_out += passed.from_first;
  self->info_->bytes_in += passed.from_second;
}

net::Awaitable<void> ServedSession::serve_meeting_stream(std::shared_ptr<ServedSession> self,
                                                         std::unique_ptr<net::Stream> stream) {
  constexpr auto kPatience = 10s;
  const auto meet = co_await read_meet(*stream, net::after(kPatience));
  if (!meet) co_return;
  ++self->state_->counters.meetings;
  co_await serve_meeting(self->state_->meetings, self->loop_, std::move(stream), *meet,
                         "user:" + self->info_->facts.user, self->config_->limits);
}

void ServedSession::refuse(net::AcceptedStream accepted, channel::ResetCode code, std::string_view why) {
  ++state_->counters.streams_refused;
  accepted.stream->reset(code);
  state_->log()->write(LogLevel::warning, "stream-refused",
                       {{.key = "session", .value = static_cast<std::int64_t>(info_->facts.id)},
                        {.key = "user", .value = info_->facts.user},
                        {.key = "service", .value = accepted.service},
                        {.key = "why", .value = why}});
}

// On a stream of its own, which says nothing more.
bool ServedSession::tell_status(channel::ProgramStatus status) {
  const auto opened = link_->open(channel::kStatusService, status.encode());
  if (opened) (*opened)->shutdown_write();
  return opened.has_value();
}

net::Awaitable<void> ServedSession::serve(std::shared_ptr<ServedSession> self, ServiceConfig service, std::string name,
                                          std::optional<channel::StatusTag> tag, std::unique_ptr<net::Stream> stream) {
  const auto& facts = self->info_->facts;
  ServiceClient client{.user = facts.user, .source = self->source_};
  if (tag)
    client.tell_status = [self, tag = *tag](channel::ProgramStatus status) {
      status.tag = tag;
      return self->tell_status(status);
    };
  if (const auto* const program = std::get_if<ExecService>(&service.what); program && !program->export_label.empty())
    client.exported_key = ExportedKey::make([&](std::span<std::uint8_t, ExportedKey::kSize> out) {
      // It fails only for a size that this is not.
      static_cast<void>(self->link_->export_keying_material(program->export_label, {}, out));
    });
  const auto end = co_await serve_stream(self->loop_, std::move(service), std::move(client), std::move(stream),
                                         self->config_->limits.backend_connect);
  self->info_->bytes_in += end.from_client;
  self->info_->bytes_out += end.to_client;
  self->log_stream(name, end);
}

void ServedSession::log_stream(const std::string& service, const StreamEnd& end) {
  const auto& facts = info_->facts;
  using How = StreamEnd::How;
  const bool is_backends_fault = end.how == How::unreachable || end.how == How::failed;
  if (is_backends_fault) ++state_->counters.backend_failures;
  const auto log = state_->log();
  const auto level = is_backends_fault ? LogLevel::warning : LogLevel::debug;
  if (!log->writes(level)) return;
  log->write(level, "stream-ended",
             {{.key = "session", .value = static_cast<std::int64_t>(facts.id)},
              {.key = "user", .value = facts.user},
              {.key = "service", .value = service},
              {.key = "how",
               .value = end.how == How::complete      ? "complete"
                        : end.how == How::cut         ? "cut"
                        : end.how == How::unreachable ? "unreachable"
                                                      : "failed"},
              {.key = "detail", .value = end.detail}});
}

AccountChannel& ServedSession::account_channel() {
  if (!account_)
    account_ = std::make_unique<AccountChannel>(AccountChannel{.user = info_->facts.user,
                                                               .by = info_->facts.by,
                                                               .selector = {},
                                                               .generation = info_->generation,
                                                               .link = link_,
                                                               .session = info_});
  return *account_;
}

// The user's record is replaced; what else he has open ends by the feed, this session does not.
net::Awaitable<void> ServedSession::serve_account(std::shared_ptr<ServedSession> self,
                                                  std::unique_ptr<net::Stream> stream) {
  co_await serve_account_stream(self->state_, self->loop_, self->account_channel(), std::move(stream));
}

// Called as each stream goes, and when no more will come.
void ServedSession::stream_ended() {
  if (!streams_.empty() || is_lending_) return;
  idle_since_ = net::Clock::now();
  if (peer_has_closed_) link_->delivered();
  if (is_draining_ && !is_ending_) close();
}

void ServedSession::close() {
  if (std::exchange(is_ending_, true)) return;
  link_->close(channel::CloseCode::going_away, net::after(kEndsWithin));
}

void ServedSession::end(EndCause cause) {
  if (is_ending_) return;
  if (!cause_) cause_ = cause;
  if (cause == EndCause::account_changed) ++state_->counters.sessions_ended_by_change;
  if (cause == EndCause::drain) {
    is_draining_ = true;
    for (const auto& [name, stream] : published_) stream->reset(channel::ResetCode::cancelled);
    if (streams_.empty()) close();
    return;
  }
  // Nothing more passes, either way, from here on.
  for (auto* const stream : HeldStreams(streams_)) stream->reset(channel::ResetCode::cancelled);
  close();
}

void ServedSession::look_at_time(net::Deadline now) {
  const auto& limits = config_->limits;
  if (limits.session != 0s && now - since_ >= limits.session) return end(EndCause::too_long);
  if (limits.idle != 0s && streams_.empty() && now - idle_since_ >= limits.idle) end(EndCause::idle);
}

}  // namespace pake::server
