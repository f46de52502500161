// The server: whom it lets in, and what they find.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "pake/server/accounts.h"
#include "pake/server/config.h"
#include "pake/server/counters.h"
#include "pake/server/log.h"
#include "pake/server/sessions.h"

namespace pake::server {

/// Runs on the loops it is given: one server, one run.
class Server {
 public:
  /// @param loops  outlive it
  /// @return Error::exhausted if the system has no threads to give
  [[nodiscard]] static net::Outcome<std::unique_ptr<Server>> make(net::Loops& loops, Config config,
                                                                  std::shared_ptr<Accounts> accounts,
                                                                  std::shared_ptr<Log> log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Opens a listening socket; before `run`.
  /// @return where it listens, with the port that the system chose
  [[nodiscard]] net::Outcome<net::Address> listen(const net::Address& address);

  /// The same on a socket that is listened on already, which becomes the server's; its own if that fails.
  [[nodiscard]] net::Outcome<net::Address> listen_on(int socket);

  /// Opens the socket on which an operator asks who is in (control.h), for its owner alone; before `run`.
  [[nodiscard]] net::Outcome<void> listen_for_control(const net::UnixAddress& address);

  /// Puts `follow(stream)` into each connection's place (a trace, say), behind a proxy's header; before `run`. Any
  /// loop's thread calls it.
  using Follow = std::function<std::unique_ptr<net::Stream>(std::unique_ptr<net::Stream>)>;
  void follow_connections(Follow follow);

  /// Reads what a node must know of the store before it may let anybody in; before `run`. Blocks.
  [[nodiscard]] store::StoreStatus prepare();

  /// Lets people in until `drain`; returns when the last of them has gone, or the time for that is over. To be spawned
  /// on the main loop.
  [[nodiscard]] net::Awaitable<void> run();

  // Any thread:

  /// No more connections; sessions end when their streams have, at the latest after the configured time.
  void drain();
  /// Whoever comes from now on finds this configuration; sessions that stand keep their services' streams.
  void reload(Config config);
  void set_log(std::shared_ptr<Log> log);
  /// Whether the store's changes are known up to within a few seconds, and the key file has the current keys: what
  /// /readyz says.
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] bool is_draining() const;

  struct Connections {
    std::size_t silent = 0;   // no complete hello yet
    std::size_t waiting = 0;  // answered, and not proved yet
    std::size_t open_guesses = 0;
  };
  [[nodiscard]] Connections connections() const;
  /// Services that users' clients bring now.
  [[nodiscard]] std::size_t published() const;
  /// Meetings that wait for somebody or are under way.
  [[nodiscard]] std::size_t meetings() const;
  [[nodiscard]] Sessions& sessions() noexcept;
  [[nodiscard]] const Counters& counters() const noexcept;
  [[nodiscard]] Accounts& accounts() noexcept;

  class Impl;

 private:
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace pake::server
