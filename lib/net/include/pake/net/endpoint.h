// How connections come about.
#pragma once

#include <cstdint>
#include <memory>

#include "pake/base/export.h"
#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// Connects to the addresses of a name, both families in turn, the next one 250 ms after the one before (RFC 8305); the
/// first that answers is it. The look-up counts in the deadline.
/// @return what a person can do most with: refused, timed_out, others, unreachable; unknown_host; cancelled
[[nodiscard]] Awaitable<Outcome<std::unique_ptr<Stream>>> connect(Loop& loop, Address address, Deadline deadline);

/// A stream over a connected socket, TCP or unix, which it owns from here on.
[[nodiscard]] std::unique_ptr<Stream> adopt(Loop& loop, int socket, Address peer);

/// Whether a port may be listened on by several sockets of this user, among which the system spreads what comes.
enum class Sharing : std::uint8_t { alone, one_a_loop };

/// A socket that is listened on. A unix socket's path goes with it.
class Listener {
 public:
  /// Listens on the first address of the name that can be had; of an empty host, and of [::], on all addresses of both
  /// families. A unix socket's path that nobody listens on any more is replaced. Blocks while a name is looked up.
  /// @return Error::occupied if something else than a socket is at the path
  [[nodiscard]] static Outcome<Listener> open(Loop& loop, const Address& address, Sharing sharing = Sharing::alone);

  /// A socket that is listened on already, TCP or unix, which it owns from here on; the path of a unix socket stays
  /// when it goes. For sockets that a service manager hands in.
  /// @return Error::other, with ENOTSOCK, EINVAL (nobody listens on it) or EAFNOSUPPORT: the socket is the caller's
  /// still
  [[nodiscard]] static Outcome<Listener> adopt(Loop& loop, int socket);

  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();

  /// The next connection, as a stream of the loop `home`.
  /// @return Error::exhausted when no descriptor was left for it (it waits in the queue: free one or pause before the
  ///         next call); timed_out, interrupted, cancelled
  [[nodiscard]] Awaitable<Outcome<std::unique_ptr<Stream>>> accept(Loop& home, Deadline deadline);

  /// Makes an accept that waits return Error::interrupted; if none does, the next one. Called on the listener's loop.
  void interrupt();

  /// Where it listens, with the port that the system chose.
  [[nodiscard]] const Address& address() const noexcept;

 private:
  friend Awaitable<Outcome<Listener>> listen(Loop& loop, Address address, Deadline deadline);
  class PAKE_HIDDEN Impl;
  explicit Listener(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// Listener::open whose look-up ends at the deadline, and with the loops.
[[nodiscard]] Awaitable<Outcome<Listener>> listen(Loop& loop, Address address, Deadline deadline);

}  // namespace pake::net

PAKE_EXPORT_END
