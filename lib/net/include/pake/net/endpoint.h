// How connections come about.
#pragma once

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

/// Connects to the addresses of a name one after the other, each with its share of the time that is left.
/// @return the error of the last one. A name that is being looked up is waited for past the deadline, up to the
///         system's own time limit: getaddrinfo cannot be stopped.
[[nodiscard]] Awaitable<Outcome<std::unique_ptr<Stream>>> connect(Loop& loop, Address address, Deadline deadline);

/// A stream over a connected socket, TCP or unix, which it owns from here on.
[[nodiscard]] std::unique_ptr<Stream> adopt(Loop& loop, int socket, Address peer);

/// A socket that is listened on. A unix socket's path goes with it.
class Listener {
 public:
  /// Listens on the first address of the name that can be had. A unix socket's path that nobody listens on any more is
  /// replaced. Blocks while a name is looked up.
  [[nodiscard]] static Outcome<Listener> open(Loop& loop, const Address& address);

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
  class PAKE_HIDDEN Impl;
  explicit Listener(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pake::net

PAKE_EXPORT_END
