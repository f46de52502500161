// The client's configuration: hosts by a name, and what holds for each.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "login/options.h"
#include "network/local_port.h"
#include "options/command.h"
#include "process/problem.h"

namespace pake::cli::login {

/// [host.NAME]. What `given` does not name has its default.
struct NamedHost {
  net::Address address = {};
  std::string user = {};
  std::string service = {};
  std::vector<std::string> services = {};  // that completion offers
  std::vector<LocalPort> locals = {};
  crypto::KsfProfile ksf_ceiling{};
  crypto::KsfProfile ksf_floor{};
  std::chrono::seconds deadline{};
  std::optional<std::string> password_file = {};
  bool remember = false;
  std::set<std::string> given = {};
};
using NamedHosts = std::map<std::string, NamedHost, std::less<>>;

/// The tables [host.NAME] of a configuration file.
[[nodiscard]] Setting hosts_setting(NamedHosts& hosts);

/// Adds --config, --check-config and the tables of hosts; without --config, $XDG_CONFIG_HOME/pake/config.toml or
/// ~/.config/pake/config.toml is read if it is there.
void add_client_configuration(Command& command, NamedHosts& hosts);
/// The same without the tables.
void add_usual_configuration(Command& command);

/// What a configuration may set of one command. The command line wins.
struct Settable {
  LoginOptions& login;
  std::string* service = nullptr;
  crypto::KsfProfile* ksf_floor = nullptr;
  std::vector<LocalPort>* locals = nullptr;
};
/// Puts what the configuration says of the destination's host in its place. A usage problem if no user is known.
[[nodiscard]] Expected<void> apply_host(const NamedHosts& hosts, const Given& given, Settable settable);

}  // namespace pake::cli::login
