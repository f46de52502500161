// A channel that stands: its streams, its ticket, its end.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "account_service.h"
#include "pake/channel/program_status.h"
#include "pake/channel/ticket.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "services.h"
#include "state.h"

namespace pake::server {

/// Held by its own coroutines; on one loop.
class ServedSession final : public Session, public std::enable_shared_from_this<ServedSession> {
 public:
  ServedSession(std::shared_ptr<State> state, net::Loop& loop, std::shared_ptr<const Config> config,
                std::shared_ptr<net::ChannelLink> link, SessionFacts facts, std::uint64_t generation,
                net::Address source, channel::TicketFacts ticket, channel::DevicePlace device_place);

  /// Under what his record was made: if that is not what records are made under now, the client is asked for a new one.
  void has_record(const store::CredentialParameters& parameters) { record_ = parameters; }

  // Whoever keeps it calls `begin`, runs its link, and then calls `ended`.

  /// Serves streams from now on. Closes the channel if the session may not be entered: there are too many, or the
  /// account has changed since it was looked up.
  void begin();
  [[nodiscard]] net::ChannelLink& link() noexcept { return *link_; }
  void ended(const net::LinkEnd& end);

  void end(EndCause cause) override;

  /// A name that it publishes is not its own any more.
  void unpublish(const std::string& name, channel::ResetCode code);
  /// Opens a stream at the publisher's client for one that `user` has opened; `end` leads to it.
  void carry(const std::string& name, const std::string& user, std::unique_ptr<net::Stream> end);

  /// Time has passed: ends what has been idle or in for too long.
  void look_at_time(net::Deadline now);
  [[nodiscard]] const SessionInfo& info() const noexcept { return *info_; }

 private:
  class Held;
  using HeldStreams = std::list<net::Stream*>;

  static net::Awaitable<void> serve(std::shared_ptr<ServedSession> self, ServiceConfig service, std::string name,
                                    std::optional<channel::StatusTag> tag, std::unique_ptr<net::Stream> stream);
  static net::Awaitable<void> serve_meeting_stream(std::shared_ptr<ServedSession> self,
                                                   std::unique_ptr<net::Stream> stream);
  static net::Awaitable<void> serve_publication(std::shared_ptr<ServedSession> self, std::string name,
                                                std::unique_ptr<net::Stream> stream);
  static net::Awaitable<void> serve_published(std::shared_ptr<ServedSession> self, std::string name,
                                              Publisher publisher, std::unique_ptr<net::Stream> stream);
  static net::Awaitable<void> carry_stream(std::shared_ptr<ServedSession> self, std::unique_ptr<net::Stream> end,
                                           std::unique_ptr<net::Stream> stream);
  static net::Awaitable<void> serve_account(std::shared_ptr<ServedSession> self, std::unique_ptr<net::Stream> stream);
  static net::Awaitable<void> serve_migration(std::shared_ptr<ServedSession> self, std::unique_ptr<net::Stream> stream);
  void take(net::AcceptedStream accepted);
  void no_more_streams();
  void take_publication(net::AcceptedStream accepted);
  void take_published(net::AcceptedStream accepted, const PublishedConfig& published);
  bool tell_status(channel::ProgramStatus status);
  void log_stream(const std::string& service, const StreamEnd& end);
  void refuse(net::AcceptedStream accepted, channel::ResetCode code, std::string_view why);
  void stream_ended();
  void close();
  void lend_ticket();
  void send_ticket();
  void end_lending();
  static net::Awaitable<void> stop_lending(std::shared_ptr<ServedSession> self);
  static net::Awaitable<void> remember_device(std::shared_ptr<ServedSession> self, store::BucketKey device);
  void ask_for_newer_record();
  AccountChannel& account_channel();

  std::shared_ptr<State> state_;
  net::Loop& loop_;
  std::shared_ptr<const Config> config_;  // of the time when it was entered: its limits
  std::shared_ptr<net::ChannelLink> link_;
  std::shared_ptr<SessionInfo> info_;
  net::Address source_;
  std::unique_ptr<const channel::TicketFacts> ticket_;  // to be lent, once
  channel::DevicePlace device_place_;                   // of a login by password
  std::unique_ptr<AccountChannel> account_;             // once its service has been asked for
  std::optional<store::CredentialParameters> record_;
  net::Stream* migration_ = nullptr;  // the stream on which a newer record is awaited
  HeldStreams streams_;
  std::map<std::string, net::Stream*> published_;  // names that are this session's
  net::Deadline since_, idle_since_;
  bool peer_has_closed_ = false;
  bool is_lending_ = false;  // its device is being written down, and the ticket comes after that
  bool is_draining_ = false;
  bool is_ending_ = false;
  std::optional<EndCause> cause_;
};

}  // namespace pake::server
