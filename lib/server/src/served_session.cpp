#include "served_session.h"

#include <algorithm>
#include <utility>

#include "pake/crypto/rng.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "services.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kEndsWithin = 2s;  // an ended session's peer has so long to close as well

}  // namespace

/// A stream of the session as a service has it: the session can reset it as long as it lives. It adds no frame to an
/// await.
class ServedSession::Held final : public net::Stream {
 public:
  Held(std::shared_ptr<ServedSession> session, std::unique_ptr<net::Stream> stream)
      : session_(std::move(session)),
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

  net::Awaitable<net::Outcome<std::size_t>> read_some(MutableBytes into, net::Deadline deadline) override {
    return stream_->read_some(into, deadline);
  }
  net::Awaitable<net::Outcome<void>> write_all(Bytes bytes, net::Deadline deadline) override {
    return stream_->write_all(bytes, deadline);
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
  std::shared_ptr<ServedSession> session_;
  std::unique_ptr<net::Stream> stream_;
  HeldStreams::iterator place_;
};

ServedSession::ServedSession(std::shared_ptr<State> state, net::Loop& loop, std::shared_ptr<const Config> config,
                             std::shared_ptr<net::ChannelLink> link, SessionFacts facts, std::uint64_t generation,
                             net::Address source, std::optional<channel::TicketFacts> ticket)
    : state_(std::move(state)),
      loop_(loop),
      config_(std::move(config)),
      link_(std::move(link)),
      info_(std::make_shared<SessionInfo>()),
      source_(std::move(source)),
      ticket_(std::move(ticket)),
      since_(net::Clock::now()),
      idle_since_(since_) {
  info_->facts = std::move(facts);
  info_->generation = generation;
}

net::Awaitable<void> ServedSession::run() {
  const auto self = shared_from_this();
  const auto& facts = info_->facts;
  const auto& limits = config_->limits;
  if (!state_->sessions.enter(info_, self, loop_, limits.sessions, limits.sessions_per_user)) {
    state_->log()->write(LogLevel::warning, "session-refused",
                         {{.key = "user", .value = facts.user}, {.key = "why", .value = "too-many"}});
    close();
  } else if (state_->generations.look(facts.user, info_->generation, net::Clock::now()) ==
             Generations::Verdict::superseded) {
    end(EndCause::account_changed);  // the feed was faster than the handshake
  } else {
    lend_ticket();
  }
  loop_.spawn(accept_streams(self));
  const auto ended = co_await link_->run();
  state_->sessions.leave(*info_);
  state_->counters.bytes_from_clients += info_->bytes_in;
  state_->counters.bytes_to_clients += info_->bytes_out;
  state_->log()->write(LogLevel::info, "session-ended",
                       {{.key = "session", .value = static_cast<std::int64_t>(facts.id)},
                        {.key = "user", .value = facts.user},
                        {.key = "how", .value = to_string(ended.end)},
                        {.key = "cause", .value = cause_ ? to_string(*cause_) : std::string_view("client")},
                        {.key = "seconds",
                         .value = std::chrono::duration_cast<std::chrono::seconds>(net::Clock::now() - since_).count()},
                        {.key = "bytes_in", .value = static_cast<std::int64_t>(info_->bytes_in)},
                        {.key = "bytes_out", .value = static_cast<std::int64_t>(info_->bytes_out)}});
}

// A ticket for the channel that begins; a chain of them ends where the login by password says.
void ServedSession::lend_ticket() {
  if (!ticket_) return;
  const auto now = wall_now();
  crypto::SystemRng rng;
  const auto keys = state_->accounts->keyring()->ticket_keys(now);
  const auto sealed = channel::seal_ticket(*keys, *ticket_, link_->resumption_secret(), rng);
  const auto lifetime = ticket_->expiry - std::min(ticket_->expiry, seconds_since_1970(now));
  if (sealed) static_cast<void>(link_->send_ticket(static_cast<std::uint32_t>(lifetime), *sealed));
  if (info_->facts.by == EnteredBy::password)
    loop_.spawn(remember_device(shared_from_this(),
                                state_->accounts->bucket(store::BucketKind::device, Bytes(ticket_->device))));
  ticket_.reset();
}

// If the store does not answer, the ticket opens channels all the same; it only gets nobody in while the account is
// under attack.
net::Awaitable<void> ServedSession::remember_device(std::shared_ptr<ServedSession> self, store::BucketKey device) {
  auto& store = self->state_->accounts->store();
  const auto& user = self->info_->facts.user;
  const auto added =
      co_await self->state_->blocking(self->loop_, [&] { return store.add_device(user, device, wall_now()); });
  const bool is_removed = added && !*added && added->error().code == store::StoreErrc::not_found;
  if (added && !*added && !is_removed) self->state_->report(added->error());
}

net::Awaitable<void> ServedSession::accept_streams(std::shared_ptr<ServedSession> self) {
  for (;;) {
    auto accepted = co_await self->link_->accept(net::kNever);
    if (!accepted) break;
    self->take(std::move(*accepted));
  }
  self->peer_has_closed_ = true;
  self->stream_ended();
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
  if (service == config->services.end()) return refuse(std::move(accepted), ResetCode::no_such_service, "no-service");
  if (!may_use(service->second, info_->facts.user))
    return refuse(std::move(accepted), ResetCode::not_allowed, "not-allowed");
  if (streams_.size() >= config->limits.streams_per_session)
    return refuse(std::move(accepted), ResetCode::too_many, "too-many");
  ++state_->counters.streams;
  auto held = std::make_unique<Held>(shared_from_this(), std::move(accepted.stream));
  loop_.spawn(serve(shared_from_this(), service->second, std::move(accepted.service), std::move(held)));
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

net::Awaitable<void> ServedSession::serve(std::shared_ptr<ServedSession> self, ServiceConfig service, std::string name,
                                          std::unique_ptr<net::Stream> stream) {
  const auto& facts = self->info_->facts;
  const auto end = co_await serve_stream(self->loop_, std::move(service), {.user = facts.user, .source = self->source_},
                                         std::move(stream), self->config_->limits.backend_connect);
  self->info_->bytes_in += end.from_client;
  self->info_->bytes_out += end.to_client;
  using How = StreamEnd::How;
  const bool is_backends_fault = end.how == How::unreachable || end.how == How::failed;
  if (is_backends_fault) ++self->state_->counters.backend_failures;
  const auto log = self->state_->log();
  const auto level = is_backends_fault ? LogLevel::warning : LogLevel::debug;
  if (!log->writes(level)) co_return;
  log->write(level, "stream-ended",
             {{.key = "session", .value = static_cast<std::int64_t>(facts.id)},
              {.key = "user", .value = facts.user},
              {.key = "service", .value = name},
              {.key = "how",
               .value = end.how == How::complete      ? "complete"
                        : end.how == How::cut         ? "cut"
                        : end.how == How::unreachable ? "unreachable"
                                                      : "failed"},
              {.key = "detail", .value = end.detail}});
}

// The user's record is replaced; what else he has open ends by the feed, this session does not.
net::Awaitable<void> ServedSession::serve_account(std::shared_ptr<ServedSession> self,
                                                  std::unique_ptr<net::Stream> stream) {
  const auto& facts = self->info_->facts;
  if (!self->account_)
    self->account_ = std::make_unique<AccountChannel>(AccountChannel{.user = facts.user,
                                                                     .by = facts.by,
                                                                     .selector = {},
                                                                     .generation = self->info_->generation,
                                                                     .link = self->link_,
                                                                     .session = self->info_});
  co_await serve_account_stream(self->state_, self->loop_, *self->account_, std::move(stream));
}

// Called as each stream goes, and when no more will come.
void ServedSession::stream_ended() {
  if (!streams_.empty()) return;
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
    if (streams_.empty()) close();
    return;
  }
  // Nothing more passes, either way, from here on.
  for (auto* const stream : HeldStreams(streams_)) stream->reset(channel::ResetCode::not_allowed);
  close();
}

void ServedSession::look_at_time(net::Deadline now) {
  const auto& limits = config_->limits;
  if (limits.session != 0s && now - since_ >= limits.session) return end(EndCause::too_long);
  if (limits.idle != 0s && streams_.empty() && now - idle_since_ >= limits.idle) end(EndCause::idle);
}

}  // namespace pake::server
