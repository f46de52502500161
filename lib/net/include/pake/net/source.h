// Which peers count as one, where each may have no more than its share.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "pake/base/export.h"
#include "pake/net/address.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// The network that a peer's address stands for: an IPv4 address alone (/32), the /64 of an IPv6 address, and one
/// network for all who come by a unix socket. An IPv4 address mapped into IPv6 is that IPv4 address.
class Source {
 public:
  /// @param peer  a numeric address, as Stream::peer gives it; what is not numeric counts as a unix socket
  explicit Source(const Address& peer);

  /// "192.0.2.7/32", "2001:db8:0:1::/64" or "unix".
  [[nodiscard]] std::string text() const;

  friend auto operator<=>(const Source&, const Source&) = default;

 private:
  enum class Family : std::uint8_t { local, v4, v6 };

  Family family_ = Family::local;
  std::array<std::uint8_t, 8> network_{};
};

}  // namespace pake::net

PAKE_EXPORT_END
