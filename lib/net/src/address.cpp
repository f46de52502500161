#include "pake/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "pake/internal/try.h"

namespace pake::net {
namespace {

using Complaint = std::unexpected<std::string>;

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kMaxHost = 253;  // RFC 1035, Section 2.3.4, as text

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_host_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || !std::ranges::all_of(text, is_digit) || error != std::errc() || end != text.data() + text.size())
    return Complaint("'" + std::string(text) + "' is no port: a number from 0 to 65535 belongs behind the last colon");
  return port;
}

std::expected<Address, std::string> parse_unix(std::string_view path) {
  if (path.empty()) return Complaint("a path belongs behind 'unix:'");
  if (path.size() > kMaxUnixPath)
    return Complaint("the path has " + std::to_string(path.size()) + " bytes: a unix socket's has at most " +
                     std::to_string(kMaxUnixPath));
  return UnixAddress{.path = std::string(path)};
}

std::expected<Address, std::string> parse_bracketed(std::string_view text) {
  const auto closing = text.find(']');
  if (closing == std::string_view::npos) return Complaint("the ']' is missing");
  TcpAddress address{.host = std::string(text.substr(1, closing - 1))};
  const auto interface = address.host.find('%');  // a zone, as in fe80::1%eth0
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, address.host.substr(0, interface).c_str(), &parsed) != 1)
    return Complaint("'" + address.host + "' is no IPv6 address");
  const auto rest = text.substr(closing + 1);
  if (rest.empty()) return address;
  if (rest.front() != ':') return Complaint("behind the ']' belongs a colon and a port");
  PAKE_TRY(address.port, parse_port(rest.substr(1)));
  return address;
}

}  // namespace

std::expected<Address, std::string> parse_address(std::string_view text) {
  if (text.empty()) return Complaint("the address is empty");
  if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    const auto rest = text.substr(scheme + 3);
    return Complaint("an address has no '" + std::string(text.substr(0, scheme + 3)) +
                     "': " + std::string(rest.substr(0, rest.find('/'))));
  }
  if (text.front() == '[') return parse_bracketed(text);
  const auto colon = text.find(':');
  if (colon != text.rfind(':')) return Complaint("an IPv6 address belongs in brackets, as in [::1]:8088");
  TcpAddress address{.host = std::string(text.substr(0, colon))};
  if (address.host.size() > kMaxHost || !std::ranges::all_of(address.host, is_host_character))
    return Complaint("'" + address.host + "' is no host name or address");
  if (colon == std::string_view::npos) return address;
  PAKE_TRY(address.port, parse_port(text.substr(colon + 1)));
  return address;
}

bool is_destination(const Address& address) {
  const auto* const tcp = std::get_if<TcpAddress>(&address);
  return tcp == nullptr || (tcp->port != 0 && !tcp->host.empty());
}

std::string to_string(const Address& address) {
  if (const auto* local = std::get_if<UnixAddress>(&address)) return std::string(kUnixPrefix) + local->path;
  const auto& tcp = std::get<TcpAddress>(address);
  const bool v6 = tcp.host.find(':') != std::string::npos;
  return (v6 ? "[" + tcp.host + "]" : tcp.host) + ":" + std::to_string(tcp.port);
}

}  // namespace pake::net
