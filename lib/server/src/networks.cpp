#include "pake/server/networks.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace pake::server {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

const net::TcpAddress* tcp(const net::Address& address) { return std::get_if<net::TcpAddress>(&address); }

bool begins_with(const IpBytes& address, const IpBytes& network, unsigned bits) {
  const auto whole = bits / 8;
  if (!std::equal(network.begin(), network.begin() + whole, address.begin())) return false;
  const auto rest = bits % 8;
  const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  return rest == 0 || ((address.at(whole) ^ network.at(whole)) & mask) == 0;
}

}  // namespace

bool is_ipv4(const IpBytes& address) noexcept { return std::equal(kMapped.begin(), kMapped.end(), address.begin()); }

std::optional<IpBytes> parse_ip(std::string_view text) {
  const std::string terminated(text.substr(0, text.find('%')));  // a scope names an interface of this machine
  IpBytes bytes{};
  if (::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return bytes;
  in_addr v4{};
  if (::inet_pton(AF_INET, terminated.c_str(), &v4) != 1) return std::nullopt;
  std::ranges::copy(kMapped, bytes.begin());
  const auto* const from = reinterpret_cast<const std::uint8_t*>(&v4);
  std::copy_n(from, sizeof v4, bytes.begin() + kMapped.size());
  return bytes;
}

bool NetworkList::add(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address || text.contains('%')) return false;
  const unsigned width = is_ipv4(*address) && !text.contains(':') ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, bits);
    if (error != std::errc() || stopped != end || bits > width) return false;
  }
  if (width == 32) bits += kMappedBits;
  IpBytes masked = *address;
  for (unsigned bit = bits; bit < 128; ++bit)
    masked.at(bit / 8) = static_cast<std::uint8_t>(masked.at(bit / 8) & ~(0x80U >> (bit % 8)));
  if (masked != *address) return false;
  networks_.push_back({.address = *address, .bits = bits});
  return true;
}

bool NetworkList::contains(const net::Address& peer) const {
  const auto* const address = tcp(peer);
  if (address == nullptr) return unix_;
  const auto ip = parse_ip(address->host);
  return ip && std::ranges::any_of(
                   networks_, [&](const Network& network) { return begins_with(*ip, network.address, network.bits); });
}

}  // namespace pake::server
