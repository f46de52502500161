// A connection as everything upstairs sees it: bytes both ways, a deadline on every wait.
#pragma once

#include <cstddef>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/channel/event.h"
#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// Belongs to one loop and outlives whatever awaits it. One coroutine may read while another one writes.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  /// Closes the connection.
  virtual ~Stream() = default;

  /// What has arrived, at least one byte: as much of it as fits into `into` (not empty).
  /// @return the number of bytes, or why none came: closed, reset, timed_out, interrupted, cancelled
  [[nodiscard]] virtual Awaitable<Outcome<std::size_t>> read_some(MutableBytes into, Deadline deadline) = 0;

  /// Hands all of `bytes` to the system; they live until it returns. After an error an unknown part of them was sent.
  [[nodiscard]] virtual Awaitable<Outcome<void>> write_all(Bytes bytes, Deadline deadline) = 0;

  /// Hands some of `bytes` (not empty) to the system, at least one byte: for who must see that a slow peer takes them.
  [[nodiscard]] virtual Awaitable<Outcome<std::size_t>> write_some(Bytes bytes, Deadline deadline);

  /// Waits until the peer's TCP has acknowledged all that was written. What was written to a unix socket is with the
  /// peer already. A stream of a channel cannot tell and gives Error::other, EOPNOTSUPP: what was delivered the
  /// channel's Close says.
  [[nodiscard]] virtual Awaitable<Outcome<void>> wait_acknowledged(Deadline deadline) = 0;

  /// Ends our side: the peer reads to the end of what was written, and then the end.
  virtual void shutdown_write() noexcept = 0;

  /// Breaks the connection off both ways, at once: the peer reads Error::reset and no end (TCP: RST, not FIN), and
  /// whatever waits here ends with an error too. Of a unix socket the peer reads an end: it knows nothing else.
  /// @param code  why; told to the peer if the stream is one of a channel
  virtual void reset(channel::ResetCode code) = 0;

  /// Whether the peer has ended its side, or the connection is broken, as far as that shows without reading; what came
  /// before may still be unread. False if it cannot be known.
  [[nodiscard]] virtual bool has_peer_ended() noexcept { return false; }

  /// Makes a read that waits return Error::interrupted; if none does, the next one that would wait.
  virtual void interrupt() = 0;

  /// The peer's numeric address; of a unix socket the path that was listened on.
  [[nodiscard]] virtual const Address& peer() const noexcept = 0;
};

}  // namespace pake::net

PAKE_EXPORT_END
