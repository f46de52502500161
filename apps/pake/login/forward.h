// `pake forward`: a port here, each connection a stream of one channel to a service of the server.
#pragma once

#include <string>
#include <vector>

#include "login/options.h"

namespace pake::cli::login {

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
[[nodiscard]] Value published_services(std::vector<PublishedService>& values);

/// Several of them, for a table.
[[nodiscard]] Value local_ports(std::vector<LocalPort>& values);

struct ForwardOptions {
  LoginOptions login = {};
  std::string service = {};
  std::vector<LocalPort> locals = {};
  std::vector<PublishedService> published = {};
  bool json = false;      // events on stdout
  bool any_user = false;  // also processes of other users of this machine
};

/// Returns the exit code.
[[nodiscard]] int forward(const ForwardOptions& options);

}  // namespace pake::cli::login
