// Accepting from whoever comes, of whom none has proved anything yet: two bounded pools and a loop.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>

#include "pake/base/export.h"
#include "pake/net/awaitable.h"
#include "pake/net/endpoint.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/source.h"
#include "pake/net/stream.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// How many callers there may be at once.
struct CallerLimits {
  std::size_t silent = 64;   // no complete hello has come: over that, one of them is evicted
  std::size_t waiting = 64;  // answered, and the finish has not come: over that, none is answered
  std::size_t all = std::numeric_limits<std::size_t>::max();  // these and the authenticated ones
};

/// One who has connected. Belongs to the loop on which it is served; its end leaves the pools and closes the
/// connection.
class Caller {
 public:
  class Member;

  Caller(Caller&&) noexcept;
  Caller& operator=(Caller&&) = delete;
  ~Caller();

  /// The loop on which it is served.
  [[nodiscard]] Loop& loop() noexcept;
  /// Until `take_stream`. An evicted caller's stream is interrupted: its reads return Error::interrupted.
  [[nodiscard]] Stream& stream() noexcept;
  /// Puts `wrap(stream)` into the stream's place: a trace, say.
  void wrap(const std::function<std::unique_ptr<Stream>(std::unique_ptr<Stream>)>& wrap);
  /// It came through a proxy, which says where from.
  void comes_from(const Source& source);

  /// Its hello is complete and it is about to be answered: from now on it cannot be evicted.
  /// @return false when too many are waiting: it is neither silent nor waiting then, and not to be answered
  [[nodiscard]] bool begin_waiting();
  /// It has proved itself, or will not be answered: it is neither silent nor waiting any more.
  void end_waiting() noexcept;
  /// Ends waiting, and gives the stream away. The caller still counts among all.
  [[nodiscard]] std::unique_ptr<Stream> take_stream();

 private:
  friend class Callers;
  explicit Caller(std::shared_ptr<Member> member) noexcept;
  std::shared_ptr<Member> member_;
};

/// The pools (design law: a stranger costs little). *Silent*: no complete hello yet; when it is full, the oldest caller
/// of the source that holds most is evicted, and counts as gone at once. *Waiting*: answered; never evicted. A copy
/// is the same pools; threads may share them.
class Callers {
 public:
  explicit Callers(CallerLimits limits);

  /// Evicts if it must.
  /// @param home  the stream's loop
  /// @return nothing when all places are taken and nobody is silent: `stream` has been closed
  [[nodiscard]] std::optional<Caller> admit(std::unique_ptr<Stream> stream, Loop& home);
  /// Evicts one of the silent ones, if there is one.
  bool evict();

  [[nodiscard]] std::size_t silent() const noexcept;
  [[nodiscard]] std::size_t waiting() const noexcept;
  [[nodiscard]] std::size_t all() const noexcept;
  /// Evicted ones, no longer counted above, whose loop has not ended them yet.
  [[nodiscard]] std::size_t leaving() const noexcept;

 private:
  friend class Caller;
  class Pools;
  std::shared_ptr<Pools> pools_;
};

/// What accept_loop does with a caller, and what it has to say.
struct AcceptHandlers {
  /// A task of the caller's loop.
  std::function<Awaitable<void>(Caller)> serve;
  /// The loop for the next one.
  std::function<Loop&()> home;
  /// Callers are closed as they come (`peer`: the first of them; told again when others have been served in between),
  /// or no descriptor is left for one (null; told once).
  std::function<void(const Error&, const Address* peer)> is_full = {};
};

/// Accepts callers until `listener` is interrupted or the loops are cancelled, and lets others on the loop have their
/// turn between any two. If no descriptor is left, it evicts. It holds what it is given, `serve` until the last caller
/// is served.
[[nodiscard]] Awaitable<void> accept_loop(Loop& loop, std::shared_ptr<Listener> listener, Callers callers,
                                          AcceptHandlers handlers);

}  // namespace pake::net

PAKE_EXPORT_END
