// `pake forward`: a port here, each connection a stream of one channel to a service of the server.
#pragma once

#include <string>
#include <vector>

#include "login/options.h"
#include "network/local_port.h"

namespace pake::cli::login {

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
