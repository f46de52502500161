// Names to addresses, as the system does it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"

namespace pake::net {

/// An address of one family, as the system's calls take it.
struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* generic() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
};

/// Numeric; an IPv4 address mapped into IPv6 is that IPv4 address.
[[nodiscard]] Address to_address(const Endpoint& endpoint);

enum class Purpose : bool { to_connect, to_listen };

/// Every address of `address.host`, in the system's order; a numeric one is not looked up.
///
/// Choice: getaddrinfo on a thread of its own, which is left behind if the deadline passes or the loops are cancelled.
/// It alone honours all of the system's configuration (nsswitch.conf: mDNS's `.local`, systemd-resolved, directory
/// services); a resolver library reads /etc/hosts and resolv.conf and finds a part of the names that `ssh` finds.
/// @return unknown_host; exhausted if there is no thread, or too many are left behind; timed_out, cancelled
[[nodiscard]] Awaitable<Outcome<std::vector<Endpoint>>> look_up(Loop& loop, TcpAddress address, Purpose purpose,
                                                                Deadline deadline);

/// The same, waiting as long as the system does.
[[nodiscard]] Outcome<std::vector<Endpoint>> look_up_blocking(const TcpAddress& address, Purpose purpose);

}  // namespace pake::net
