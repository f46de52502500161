// Ports of this machine whose connections lead elsewhere: what -L and -R take, and whose connections are let in.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "options/value.h"
#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/endpoint.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "process/problem.h"

namespace pake::cli {

/// -L [BIND:]PORT[:SERVICE] or unix:PATH[:SERVICE].
struct LocalPort {
  net::Address address;
  std::string service;  // empty: the one that the command line names for all
  std::string typed;
};

/// In A:B a B of digits is a port; a service begins with a letter.
[[nodiscard]] std::expected<LocalPort, Complaint> parse_local_port(std::string_view typed);

/// -R SERVICE:[HOST:]PORT or SERVICE:unix:PATH: what this user publishes, and the one address behind it.
struct PublishedService {
  std::string service;
  net::Address address;
};
[[nodiscard]] std::expected<PublishedService, Complaint> parse_published(std::string_view typed);

/// Several of them, for a table.
[[nodiscard]] Value local_ports(std::vector<LocalPort>& values);
[[nodiscard]] Value published_services(std::vector<PublishedService>& values);

/// A listener for each of `locals`. Comes before a code or a password is tried. A unix socket is its owner's alone.
[[nodiscard]] net::Awaitable<Expected<std::vector<net::Listener>>> listen_locally(net::Loop& loop,
                                                                                  std::vector<LocalPort> locals);

/// Gives `take` what `listener` accepts, or why it could not, until that returns false or the loops end. What `take`
/// holds lives as long; `listener` has to.
[[nodiscard]] net::Awaitable<void> accept_connections(
    net::Loop& loop, net::Listener& listener, std::function<bool(net::Outcome<std::unique_ptr<net::Stream>>)> take);

/// Nobody on another machine reaches `address`, where something listens.
[[nodiscard]] bool is_within_machine(const net::Address& address);

/// On loopback every user of this machine could connect.
class OwnUserOnly {
 public:
  /// Whether a process of this user holds the other end of `connection` to `local`; true for other addresses. Says once
  /// that somebody was refused.
  [[nodiscard]] bool lets_in(const net::Stream& connection, const net::Address& local);

 private:
  bool has_told_of_others_ = false;
  bool has_told_of_unknown_ = false;
};

}  // namespace pake::cli
