// Where to listen or to connect to, as a person types it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

inline constexpr std::uint16_t kDefaultPort = 8088;
/// What a unix socket's address holds, less the terminating NUL.
inline constexpr std::size_t kMaxUnixPath = 107;

struct TcpAddress {
  std::string host =
      "127.0.0.1";  // a name, or an IPv4 or IPv6 address without brackets; empty: all of this machine's, to listen on
  std::uint16_t port = kDefaultPort;
  friend bool operator==(const TcpAddress&, const TcpAddress&) = default;
};

struct UnixAddress {
  std::string path;  // 1 to kMaxUnixPath bytes
  friend bool operator==(const UnixAddress&, const UnixAddress&) = default;
};

/// 127.0.0.1:8088 unless told otherwise.
using Address = std::variant<TcpAddress, UnixAddress>;

/// Reads `host:port`, `[v6]:port` (in both the port may be left out: kDefaultPort) or `unix:PATH`. Port 0 lets the
/// system choose when listening. No name is looked up.
/// @return the address, or what is wrong with `text` as a lower-case sentence without a full stop
[[nodiscard]] std::expected<Address, std::string> parse_address(std::string_view text);

/// Whether one can connect to it: port 0 and no host are for listening.
[[nodiscard]] bool is_destination(const Address& address);

/// As parse_address reads it.
[[nodiscard]] std::string to_string(const Address& address);

}  // namespace pake::net

PAKE_EXPORT_END
