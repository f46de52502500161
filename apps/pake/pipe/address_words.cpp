#include "pipe/address_words.h"

#include <fmt/format.h>

#include "network/own_hosts.h"
#include "process/output.h"

namespace pake::cli::pipe {
namespace {

bool is_every_interface(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  return tcp != nullptr && (tcp->host.empty() || tcp->host == "0.0.0.0" || tcp->host == "::");
}

}  // namespace

std::string reachable(net::Address address) {
  auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (is_every_interface(address)) tcp->host = own_hosts().front();
  return net::to_string(address);
}

void explain_address(const net::Address& address, bool is_plain, const BothSides& commands) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (tcp == nullptr) return;
  auto hosts = own_hosts();
  const auto first = hosts.front();
  if (is_plain) {
    say_note("only programs on this machine reach this address");
    say_hint(fmt::format("`{} {}` lets other machines in; they type: {} {}", commands.here, tcp->port, commands.there,
                         net::to_string(net::TcpAddress{.host = first, .port = tcp->port})));
  } else if (is_every_interface(address) && hosts.size() > 1) {
    hosts.erase(hosts.begin());
    say_note(fmt::format("this machine is also {}", fmt::join(hosts, ", ")));
  }
}

}  // namespace pake::cli::pipe
