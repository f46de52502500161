#include "pake/net/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <span>

namespace pake::net {

Source::Source(const Address& peer) {
  const auto* const tcp = std::get_if<TcpAddress>(&peer);
  if (tcp == nullptr) return;
  in_addr v4{};
  in6_addr v6{};
  const auto host = tcp->host.substr(0, tcp->host.find('%'));  // without a zone
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    family_ = Family::v4;
    std::ranges::copy(std::as_bytes(std::span(&v4, 1)), std::as_writable_bytes(std::span(network_)).begin());
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    const std::span bytes(v6.s6_addr);
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6);
    family_ = is_mapped ? Family::v4 : Family::v6;
    std::ranges::copy(is_mapped ? bytes.last(4) : bytes.first(8), network_.begin());
  }
}

std::string Source::text() const {
  if (family_ == Family::local) return "unix";
  const bool is_v4 = family_ == Family::v4;
  in6_addr address{};  // large enough for both
  std::ranges::copy(network_, std::begin(address.s6_addr));
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(is_v4 ? AF_INET : AF_INET6, &address, text.data(), text.size());
  return std::string(text.data()) + (is_v4 ? "/32" : "/64");
}

}  // namespace pake::net
