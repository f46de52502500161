// What becomes of one who has connected: a handshake, and then a session.
#pragma once

#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "pake/channel/key_cache.h"
#include "pake/net/acceptor.h"
#include "pake/net/awaitable.h"
#include "pake/net/handshake.h"
#include "pake/net/loops.h"
#include "served_session.h"
#include "state.h"
#include "visit.h"

namespace pake::server {

/// Any loop.
class ConnectionHandler : public std::enable_shared_from_this<ConnectionHandler> {
 public:
  /// Runs the server's side of a handshake: net::accept_channel.
  using Handshake = std::function<net::Awaitable<std::expected<net::ServerChannel, net::HandshakeError>>(
      net::Loop&, std::unique_ptr<net::Stream>&, const net::ServerSide&)>;

  ConnectionHandler(std::shared_ptr<State> state, Handshake handshake)
      : state_(std::move(state)), handshake_(std::move(handshake)) {}

  using Follow = std::function<std::unique_ptr<net::Stream>(std::unique_ptr<net::Stream>)>;
  /// See Server::follow_connections.
  void follow(Follow follow) { follow_ = std::move(follow); }

  /// Returns when there is no channel, or its session has begun. A task of the caller's loop.
  static net::Awaitable<void> serve(std::shared_ptr<ConnectionHandler> self, net::Caller caller);

 private:
  /// What the connections of one loop share.
  struct Lane {
    explicit Lane(net::Loop& of) : loop(of) {}
    net::Loop& loop;
    channel::KeyCache cache;
    std::set<ServedSession*> sessions;
  };

  Lane& lane(net::Loop& loop);
  static net::Awaitable<void> sweep(std::shared_ptr<ConnectionHandler> self, Lane& lane);
  static net::Awaitable<void> meet(std::shared_ptr<ConnectionHandler> self, net::Caller& caller,
                                   std::unique_ptr<net::Stream> stream, const net::Address& source,
                                   net::Deadline deadline);
  static net::Awaitable<void> carry(std::shared_ptr<ConnectionHandler> self, Lane& lane,
                                    std::shared_ptr<ServedSession> session, net::Caller caller);
  net::Awaitable<std::optional<net::Address>> find_source(net::Caller& caller);
  std::nullopt_t no_proxy_header(const net::Stream& stream);
  std::shared_ptr<ServedSession> make_session(Lane& lane, const Visit& visit, net::ServerChannel channel);
  channel::TicketFacts next_ticket(const Visit& visit, const channel::ServerOutcome& outcome);

  std::shared_ptr<State> state_;
  Handshake handshake_;
  Follow follow_;  // may be empty
  std::mutex mutex_;
  std::list<std::unique_ptr<Lane>> lanes_;
};

}  // namespace pake::server
