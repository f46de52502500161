// Networks as an operator writes them: which proxies are trusted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "pake/net/address.h"

namespace pake::server {

/// An IP address in 16 bytes; IPv4 is mapped (RFC 4291, Section 2.5.5.2).
using IpBytes = std::array<std::uint8_t, 16>;

/// The bytes of a numeric address; nothing for anything else.
[[nodiscard]] std::optional<IpBytes> parse_ip(std::string_view text);

/// Whether it is an IPv4 address, mapped.
[[nodiscard]] bool is_ipv4(const IpBytes& address) noexcept;

/// Networks by their prefixes, as an operator writes them: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`.
class NetworkList {
 public:
  NetworkList() = default;
  /// Adds one. False if the text names no network, or has bits set behind its prefix.
  [[nodiscard]] bool add(std::string_view text);
  /// Every peer of the unix socket is on the list.
  void add_unix() noexcept { unix_ = true; }
  [[nodiscard]] bool contains(const net::Address& peer) const;
  [[nodiscard]] bool empty() const noexcept { return networks_.empty() && !unix_; }

 private:
  struct Network {
    IpBytes address;
    unsigned bits;
  };
  std::vector<Network> networks_;
  bool unix_ = false;
};

}  // namespace pake::server
