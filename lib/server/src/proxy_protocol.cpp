#include "pake/server/proxy_protocol.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/server/networks.h"

namespace pake::server {
namespace {

constexpr std::array<std::uint8_t, 12> kSignature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                     0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr std::uint8_t kLocal = 0x20;  // version 2, command LOCAL
constexpr std::uint8_t kProxy = 0x21;  // version 2, command PROXY
constexpr std::uint8_t kUnspecified = 0x00;
constexpr std::uint8_t kTcp4 = 0x11;
constexpr std::uint8_t kTcp6 = 0x21;
constexpr std::size_t kIPv4Size = 4;
constexpr std::size_t kIPv6Size = 16;

std::string ip_text(int family, Bytes address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, address.data(), text.data(), text.size());
}

// TLVs follow one another; each is whole.
Status check_tlvs(Bytes tlvs) {
  Reader reader(tlvs);
  while (!reader.rest().empty()) {
    PAKE_TRYV(reader.u8());
    PAKE_TRYV(reader.take_lp2());
  }
  return {};
}

struct Endpoint {
  IpBytes ip;
  std::uint16_t port;
  bool is_v4;
};

std::optional<Endpoint> endpoint(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  const auto ip = tcp == nullptr ? std::nullopt : parse_ip(tcp->host);
  if (!ip) return std::nullopt;
  return Endpoint{.ip = *ip, .port = tcp->port, .is_v4 = is_ipv4(*ip)};
}

}  // namespace

Result<std::size_t> proxy_header_size(Bytes prefix) {
  Reader reader(prefix);
  PAKE_TRY(const auto signature, reader.take(kSignature.size()));
  PAKE_TRY(const auto command, reader.u8());
  PAKE_TRYV(reader.u8());
  PAKE_TRY(const auto length, reader.u16());
  const bool is_header = std::ranges::equal(signature, kSignature) && (command == kLocal || command == kProxy);
  if (!is_header || kProxyPrefixSize + length > kMaxProxyHeaderSize) return fail(Errc::malformed);
  return kProxyPrefixSize + length;
}

Result<std::optional<net::TcpAddress>> decode_proxy_header(Bytes header) {
  if (header.size() < kProxyPrefixSize) return fail(Errc::malformed);
  PAKE_TRY(const auto size, proxy_header_size(header.first(kProxyPrefixSize)));
  if (size != header.size()) return fail(Errc::malformed);
  const auto command = header[kSignature.size()];
  const auto family = header[kSignature.size() + 1];
  Reader reader(header.subspan(kProxyPrefixSize));
  if (command == kLocal || (family != kTcp4 && family != kTcp6)) return std::optional<net::TcpAddress>();
  const bool is_v4 = family == kTcp4;
  const auto address_size = is_v4 ? kIPv4Size : kIPv6Size;
  PAKE_TRY(const auto source, reader.take(address_size));
  PAKE_TRYV(reader.take(address_size));
  PAKE_TRY(const auto port, reader.u16());
  PAKE_TRYV(reader.u16());
  PAKE_TRYV(check_tlvs(reader.rest()));
  return net::TcpAddress{.host = ip_text(is_v4 ? AF_INET : AF_INET6, source), .port = port};
}

Buffer encode_proxy_header(const net::Address& source, const net::Address& destination, std::string_view user) {
  const auto from = endpoint(source);
  const auto to = endpoint(destination);
  const bool has_addresses = from && to && from->is_v4 == to->is_v4;
  Writer body;
  if (has_addresses) {
    for (const auto& each : {*from, *to}) body.put(each.is_v4 ? Bytes(each.ip).last(kIPv4Size) : Bytes(each.ip));
    body.u16(from->port).u16(to->port);
  }
  body.u8(kProxyUserTlv).put_lp2(as_bytes(user));
  const auto family = !has_addresses ? kUnspecified : from->is_v4 ? kTcp4 : kTcp6;
  return Writer().put(kSignature).u8(kProxy).u8(family).put_lp2(body.bytes()).take();
}

}  // namespace pake::server
