// What a channel tells its application. docs/wire.md, sections 8 and 9.
#pragma once

#include <cstdint>
#include <variant>

#include "pake/base/bytes.h"
#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// A stream's number, from 1: odd if the client opened it, even if the server did.
using StreamId = std::uint32_t;

enum class ResetCode : std::uint8_t {  // on the wire: never renumber
  cancelled = 0,
  no_such_service = 1,
  not_allowed = 2,
  backend_unreachable = 3,
  backend_failed = 4,
  too_many = 5,
};

enum class CloseCode : std::uint8_t {  // on the wire: never renumber
  done = 0,
  going_away = 1,    // the server drains
  rules_broken = 2,  // by the peer of whoever sends it
  internal_error = 3,
  not_delivered = 4,  // what came from the peer could not be passed on: written, stored
};

/// The peer opened a stream. The views live until the channel is asked for the next event.
struct Opened {
  StreamId stream;
  Bytes service;   // up to 255 bytes
  Bytes argument;  // the service's own
};
/// More of the stream can be read: Channel::unread.
struct Readable {
  StreamId stream;
};
/// The peer sends no more on the stream; what is unread is the last of it.
struct Finished {
  StreamId stream;
};
/// The peer takes no more on the stream and, unless it had finished, sends no more: what was unread is gone then. The
/// stream counts until Channel::release, to be called when whatever runs for it is gone.
struct WasReset {
  StreamId stream;
  ResetCode code;
};
/// All of what Channel::write was given last is on its way; its bytes are the application's again.
struct Written {
  StreamId stream;
};
/// The server lends a ticket; Channel::resumption_secret belongs to it. The view lives until the channel is asked for
/// the next event.
struct TicketArrived {
  std::uint32_t lifetime;  // seconds
  Bytes ticket;            // 1 to 1,024 bytes
};
/// The peer has closed the channel, done or going away: nothing more will come, on no stream. It waits until
/// Channel::close answers: `done` says that all that came has been delivered, `not_delivered` that it was not.
struct Closed {
  CloseCode code;
};

using Event = std::variant<Opened, Readable, Finished, WasReset, Written, TicketArrived, Closed>;

}  // namespace pake::channel

PAKE_EXPORT_END
