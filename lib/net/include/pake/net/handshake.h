// From a stream to a running channel, either side: docs/wire.md, sections 10 and 11.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>

#include "pake/base/export.h"
#include "pake/base/rng.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/key_cache.h"
#include "pake/channel/server_handshake.h"
#include "pake/net/acceptor.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// How long each step may take.
struct HandshakeTimeouts {
  std::chrono::milliseconds hello{5'000};          // server: until a ClientHello is whole; the second has as long
  std::chrono::milliseconds decision{5'000};       // server: until `decide` has answered
  std::chrono::milliseconds answer{10'000};        // client: until the ServerHello is whole
  std::chrono::milliseconds login_finish{60'000};  // server: until the ClientFinish is whole; the client is stretching
  std::chrono::milliseconds finish{10'000};        // the same for codes and tickets, which have nothing to stretch
};

/// Why there is no channel.
struct HandshakeError {
  Error error;                              // Error::run_failed if `failure` knows more
  std::optional<channel::Failure> failure;  // what was wrong, or what the other side said
};

/// A channel as the client has it. The ClientFinish has not left yet: `link->run()` sends it, in one segment with what
/// streams have to send by then.
struct ClientChannel {
  std::shared_ptr<ChannelLink> link;
  channel::ClientOutcome outcome;
};

/// A channel as the server has it.
struct ServerChannel {
  std::shared_ptr<ChannelLink> link;
  channel::ServerOutcome outcome;
};

/// Runs the client's side. The key stretching runs on the pool that all loops share; cancelling waits for its end.
/// @param stream  taken once the channel stands. Else it stays with the caller, open, and an Alert that is due has been
///                sent
/// @param cache   of the loop; it outlives the link and its streams
[[nodiscard]] Awaitable<std::expected<ClientChannel, HandshakeError>> connect_channel(
    Loop& loop, std::unique_ptr<Stream>& stream, channel::ClientHandshake handshake, channel::KeyCache& cache,
    HandshakeTimeouts timeouts = {});

/// Answers a ClientHello, in its own time: it may ask a store. The request lives until it has returned.
using Decide = std::function<Awaitable<channel::Decision>(const channel::ClientRequest&)>;

/// Where a server's side stands: docs/wire.md, section 11.
enum class HandshakeStage : std::uint8_t {
  silent,    // no complete hello has come: may be evicted (Stream::interrupt)
  deciding,  // `decide` is running
  waiting,   // the ServerHello has left, and a guess may be spent: never evicted for the sake of the silent ones
};

/// What a server's side needs. It outlives the run.
struct ServerSide {
  channel::ServerConfig config = {};
  Decide decide;
  Rng& rng;
  channel::KeyCache& cache;  // of the loop; it outlives the link and its streams
  HandshakeTimeouts timeouts = {};
  std::function<void(HandshakeStage)> on_stage = {};  // is told each stage as it begins, `silent` after a Retry too
};

/// Runs the server's side. If `decide` takes longer than its time, the peer is told that the server is unavailable, and
/// this returns once `decide` has: what it waits for has deadlines of its own.
/// @param stream  as above
[[nodiscard]] Awaitable<std::expected<ServerChannel, HandshakeError>> accept_channel(Loop& loop,
                                                                                     std::unique_ptr<Stream>& stream,
                                                                                     const ServerSide& side);
/// The same on the loop of a caller, whose stream is taken once the channel stands.
[[nodiscard]] Awaitable<std::expected<ServerChannel, HandshakeError>> accept_channel(Caller& caller,
                                                                                     const ServerSide& side);

}  // namespace pake::net

PAKE_EXPORT_END
