// What is kept of servers between two runs, and what is said when it cannot be used.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "login/destination.h"
#include "pake/client/known_hosts.h"
#include "process/problem.h"

namespace pake::cli::login {

/// $XDG_STATE_HOME/pake or ~/.local/state/pake; nothing if the environment names neither.
[[nodiscard]] std::optional<std::filesystem::path> state_directory();
/// `hosts` in it.
[[nodiscard]] std::optional<client::HostMemory> host_memory();

[[nodiscard]] client::HostId host_id(const Destination& destination);
/// As one types it: "alice@box:8088".
[[nodiscard]] std::string to_string(const client::HostId& id);

/// Exit code 9, and what to do.
[[nodiscard]] Problem cannot_remember(const client::MemoryFailure& failure);

/// One host of the memory, for a run of a command that logs in there.
class Remembering {
 public:
  /// @param may_write  --remember was given: what is learnt is kept
  [[nodiscard]] static Expected<Remembering> open(const Destination& destination, bool may_write);

  /// What was known when the command began, and what has been kept since.
  [[nodiscard]] const std::optional<client::RememberedHost>& host() const noexcept { return host_; }
  [[nodiscard]] bool may_write() const noexcept { return may_write_; }
  /// The last ticket, taken out of it, if tickets are used.
  [[nodiscard]] std::optional<client::RememberedTicket> take_ticket();

  /// Takes a place for what will be learnt, if it is to be kept: before anybody is dialled, whom it would cost a guess
  /// or an invitation.
  [[nodiscard]] Expected<void> prepare();

  /// The key with which the server has answered the password. A problem if another one is remembered.
  [[nodiscard]] Expected<void> check_server(const Buffer& public_key);
  /// A key that the server has announced inside a channel that it had proved itself in; old tickets are gone.
  [[nodiscard]] Expected<void> replace_server(const Buffer& public_key);
  [[nodiscard]] Expected<void> keep_ticket(const client::RememberedTicket& ticket);

 private:
  Remembering(client::HostId id, std::optional<client::HostMemory> memory, bool may_write)
      : id_(std::move(id)), memory_(std::move(memory)), may_write_(may_write) {}
  [[nodiscard]] Expected<void> keep(client::RememberedHost host);

  client::HostId id_;
  std::optional<client::HostMemory> memory_;
  std::optional<client::RememberedHost> host_ = {};
  std::optional<client::PreparedHost> place_ = {};  // for the next `keep`
  bool may_write_;
};

}  // namespace pake::cli::login
