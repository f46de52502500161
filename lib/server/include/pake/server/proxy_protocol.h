// The PROXY protocol, version 2 (HAProxy's proxy-protocol.txt, section 2.2): who connects, told by whoever stands
// before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/net/address.h"

namespace pake::server {

inline constexpr std::size_t kProxyPrefixSize = 16;       // signature, command, family, length
inline constexpr std::size_t kMaxProxyHeaderSize = 1024;  // what we read of one; more is malformed
/// The TLV in which a backend reads the user's name: the first of the types for an application's own use.
inline constexpr std::uint8_t kProxyUserTlv = 0xe0;

/// How long the header is whose first kProxyPrefixSize bytes these are, the prefix included. Errc::malformed when they
/// do not begin one.
[[nodiscard]] Result<std::size_t> proxy_header_size(Bytes prefix);

/// The source that a whole header names. Nothing for LOCAL (the proxy's own check of health) and for families other
/// than TCP over IPv4 and IPv6: then the peer is the source.
[[nodiscard]] Result<std::optional<net::TcpAddress>> decode_proxy_header(Bytes header);

/// The header for a backend: `source` and `destination` if both are numeric TCP addresses of one family (else family
/// UNSPEC), and the user's name in a TLV.
[[nodiscard]] Buffer encode_proxy_header(const net::Address& source, const net::Address& destination,
                                         std::string_view user);

}  // namespace pake::server
