#include "network/own_hosts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>

namespace pake::cli {
namespace {

// As text, or "" for one that says nothing to another machine.
std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    const auto host = ntohl(v4->sin_addr.s_addr);
    if (host >> 16U == 0xa9feU) return "";  // 169.254.0.0/16
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) return "";
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

}  // namespace

std::vector<std::string> own_hosts() {
  std::vector<std::string> hosts;
  std::vector<std::string> v6;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) == 0) {
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, &::freeifaddrs);
    for (const auto* one = list; one != nullptr; one = one->ifa_next) {
      if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0U || (one->ifa_flags & IFF_LOOPBACK) != 0U)
        continue;
      if (auto text = text_of(one->ifa_addr); !text.empty())
        (one->ifa_addr->sa_family == AF_INET ? hosts : v6).push_back(std::move(text));
    }
  }
  hosts.insert(hosts.end(), v6.begin(), v6.end());
  if (!hosts.empty()) return hosts;
  std::array<char, HOST_NAME_MAX + 1> name{};
  const bool is_named = ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0';
  return {is_named ? name.data() : "localhost"};
}

}  // namespace pake::cli
