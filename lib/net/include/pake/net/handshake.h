// The loop that drives a channel's handshake over a stream: docs/wire.md, sections 10 and 11.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/server_handshake.h"
#include "pake/net/awaitable.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// How long the other side may take.
struct HandshakeTimeouts {
  std::chrono::milliseconds hello{5'000};    // server: until a ClientHello is whole; the second has as long
  std::chrono::milliseconds answer{10'000};  // client: until the ServerHello is whole
  std::chrono::milliseconds finish{60'000};  // server: until the ClientFinish is whole; the client is stretching
};

/// Why there is no channel.
struct HandshakeError {
  Error error;                              // Error::run_failed where `failure` knows more
  std::optional<channel::Failure> failure;  // what was wrong, or what the other side said
};

/// A channel as the client has it.
struct ClientStart {
  channel::ClientOutcome outcome;
  Buffer finish;  // the ClientFinish, not sent yet: the first records go behind it in the same segment
};

/// A channel as the server has it.
struct ServerStart {
  channel::ServerOutcome outcome;
  Buffer arrived;  // what had come behind the ClientFinish: records
};

/// Runs the client's side. The key stretching has a thread of its own; cancelling waits for its end. An Alert that is
/// due has been sent when this returns; the stream stays open.
[[nodiscard]] Awaitable<std::expected<ClientStart, HandshakeError>> run_handshake(channel::ClientHandshake& handshake,
                                                                                  Loop& loop, Stream& stream,
                                                                                  HandshakeTimeouts timeouts);

/// Answers the handshake's request(): calls one of its answers, `retry` or `refuse`.
using AnswerRequest = std::function<Awaitable<void>(channel::ServerHandshake&)>;

/// Runs the server's side. `answer` outlives the run.
[[nodiscard]] Awaitable<std::expected<ServerStart, HandshakeError>> run_handshake(channel::ServerHandshake& handshake,
                                                                                  Loop& loop, Stream& stream,
                                                                                  const AnswerRequest& answer,
                                                                                  HandshakeTimeouts timeouts);

}  // namespace pake::net

PAKE_EXPORT_END
