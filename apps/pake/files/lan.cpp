#include "files/lan.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "process/unique_fd.h"

namespace pake::cli::files {
namespace {

constexpr const char* kGroupV4 = "239.255.80.88";
constexpr const char* kGroupV6 = "ff12::8088";
constexpr std::uint16_t kPort = 8088;
constexpr std::string_view kMagic = "pake";
constexpr std::uint8_t kAnnouncementVersion = 1;
constexpr std::size_t kAnnouncementSize = 4 + 1 + 4 + 2;
constexpr std::chrono::seconds kPeriod{1};
constexpr std::chrono::milliseconds kLook{50};
constexpr std::size_t kMostAtOnce = 64;           // datagrams that are looked at before others have their turn
constexpr std::uint16_t kLowestFoundPort = 1024;  // that DNS-SD may lead to: a record can name another machine

struct Announcement {
  std::uint32_t selector;
  std::uint16_t port;
};

Buffer encode(const Announcement& announcement) {
  return Writer(kAnnouncementSize)
      .put(as_bytes(kMagic))
      .u8(kAnnouncementVersion)
      .u32(announcement.selector)
      .u16(announcement.port)
      .take();
}

Result<Announcement> decode(Bytes datagram) {
  Reader reader(datagram);
  PAKE_TRY(const auto magic, reader.take(kMagic.size()));
  PAKE_TRY(const auto version, reader.u8());
  Announcement announcement{};
  PAKE_TRY(announcement.selector, reader.u32());
  PAKE_TRY(announcement.port, reader.u16());
  PAKE_TRYV(reader.finish());
  if (as_text(magic) != kMagic || version != kAnnouncementVersion || announcement.port == 0)
    return fail(Errc::malformed);
  return announcement;
}

/// An address of this machine, and the link behind it.
struct Link : LinkAddress {
  std::string name;
  std::array<std::uint8_t, 16> mask{};
  bool is_loopback = false;
};

std::vector<Link> links() {
  std::vector<Link> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, &::freeifaddrs);
  for (const auto* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_netmask == nullptr || (one->ifa_flags & IFF_UP) == 0U) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    Link link;
    link.interface = ::if_nametoindex(one->ifa_name);
    link.name = one->ifa_name;
    link.is_v6 = family == AF_INET6;
    link.is_loopback = (one->ifa_flags & IFF_LOOPBACK) != 0U;
    if (link.is_v6) {
      std::memcpy(link.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr, 16);
      std::memcpy(link.mask.data(), &reinterpret_cast<const sockaddr_in6*>(one->ifa_netmask)->sin6_addr, 16);
    } else {
      std::memcpy(link.bytes.data(), &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, 4);
      std::memcpy(link.mask.data(), &reinterpret_cast<const sockaddr_in*>(one->ifa_netmask)->sin_addr, 4);
    }
    found.push_back(std::move(link));
  }
  return found;
}

bool is_on(const Link& link, const LinkAddress& source) {
  if (link.is_v6 != source.is_v6 || (source.interface != 0 && link.interface != source.interface)) return false;
  for (std::size_t i = 0; i < (link.is_v6 ? 16U : 4U); ++i)
    if (((link.bytes[i] ^ source.bytes[i]) & link.mask[i]) != 0) return false;
  return true;
}

// In IPv6: it needs its interface beside it.
bool is_link_local(const LinkAddress& address) {
  return address.is_v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80;
}

/// Of an address on one of this machine's links as it is dialled; else "".
/// @param source  its interface is 0 if any will do
std::string host_on_a_link(const LinkAddress& source) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(source.is_v6 ? AF_INET6 : AF_INET, source.bytes.data(), text.data(), text.size());
  for (const auto& link : links()) {
    if (!is_on(link, source)) continue;
    return is_link_local(source) ? fmt::format("{}%{}", text.data(), link.name) : std::string(text.data());
  }
  return "";
}

// One of each interface and family, as a datagram to the group shows it.
std::vector<LinkAddress> addresses_to_announce() {
  std::vector<LinkAddress> chosen;
  for (const auto& link : links()) {
    if (link.is_loopback) continue;
    const auto same = std::ranges::find_if(chosen, [&](const LinkAddress& other) {
      return other.interface == link.interface && other.is_v6 == link.is_v6;
    });
    if (same == chosen.end())
      chosen.push_back(link);
    else if (is_link_local(link) && !is_link_local(*same))
      *same = link;
  }
  return chosen;
}

std::string service_prefix(std::uint32_t selector) { return fmt::format("{}-", selector); }

// The random number tells two announcers of one selector apart.
DnsSdService dns_sd_service(Rng& rng, std::uint32_t selector, std::uint16_t port) {
  std::array<std::uint8_t, 8> random{};
  rng.fill(random);
  return {.name = fmt::format("{}{:02x}", service_prefix(selector), fmt::join(random, "")),
          .port = port,
          .addresses = addresses_to_announce()};
}

UniqueFd open_socket(int family) { return UniqueFd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

template <class T>
bool set(int fd, int level, int option, const T& value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

sockaddr_in group_v4() {
  sockaddr_in group{};
  group.sin_family = AF_INET;
  group.sin_port = htons(kPort);
  ::inet_pton(AF_INET, kGroupV4, &group.sin_addr);
  return group;
}
sockaddr_in6 group_v6() {
  sockaddr_in6 group{};
  group.sin6_family = AF_INET6;
  group.sin6_port = htons(kPort);
  ::inet_pton(AF_INET6, kGroupV6, &group.sin6_addr);
  return group;
}

}  // namespace

std::uint32_t draw_selector(Rng& rng) {
  std::array<std::uint8_t, 8> bytes{};
  rng.fill(bytes);
  std::uint64_t drawn = 0;
  for (const auto byte : bytes) drawn = drawn << 8U | byte;
  return 1 + static_cast<std::uint32_t>(drawn % kMostSelector);
}

struct Announcer::State {
  State(net::Loop& on, Buffer what)
      : loop(on), datagram(std::move(what)), v4(open_socket(AF_INET)), v6(open_socket(AF_INET6)) {}

  // What cannot be sent is not: an interface that has gone, one without multicast.
  void announce() const {
    std::set<std::pair<unsigned, bool>> done;
    for (const auto& link : links()) {
      if (!done.emplace(link.interface, link.is_v6).second) continue;
      if (link.is_v6) {
        auto group = group_v6();
        group.sin6_scope_id = link.interface;
        set(v6.get(), IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(link.interface));
        send(v6.get(), group);
      } else {
        ip_mreqn interface{};
        interface.imr_ifindex = static_cast<int>(link.interface);
        std::memcpy(&interface.imr_address, link.bytes.data(), 4);
        set(v4.get(), IPPROTO_IP, IP_MULTICAST_IF, interface);
        send(v4.get(), group_v4());
      }
    }
  }

  template <class Address>
  void send(int fd, const Address& group) const {
    static_cast<void>(::sendto(fd, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&group), sizeof group));
  }

  static net::Awaitable<void> run(std::shared_ptr<State> state) {
    while (!state->is_over) {
      state->announce();
      if (!co_await state->loop.sleep_until(net::after(kPeriod))) co_return;
    }
  }

  net::Loop& loop;
  Buffer datagram;
  UniqueFd v4, v6;
  bool is_over = false;
};

Announcer::Announcer(net::Loop& loop, Rng& rng, std::uint32_t selector, std::uint16_t port)
    : state_(std::make_shared<State>(loop, encode({.selector = selector, .port = port}))),
      dns_sd_(dns_sd_service(rng, selector, port)) {
  loop.spawn(State::run(state_));
}
Announcer::~Announcer() { state_->is_over = true; }

struct AnnouncementListener::State {
  State(net::Loop& on, std::uint32_t wanted)
      : loop(on),
        selector(wanted),
        v4(open_socket(AF_INET)),
        v6(open_socket(AF_INET6)),
        dns_sd(service_prefix(wanted)) {}

  bool join() {
    constexpr int kOn = 1;
    auto any4 = group_v4();
    any4.sin_addr.s_addr = INADDR_ANY;
    auto any6 = group_v6();
    any6.sin6_addr = in6addr_any;
    set(v4.get(), SOL_SOCKET, SO_REUSEADDR, kOn);
    set(v6.get(), SOL_SOCKET, SO_REUSEADDR, kOn);
    set(v6.get(), IPPROTO_IPV6, IPV6_V6ONLY, kOn);
    const bool has_v4 = ::bind(v4.get(), reinterpret_cast<const sockaddr*>(&any4), sizeof any4) == 0;
    const bool has_v6 = ::bind(v6.get(), reinterpret_cast<const sockaddr*>(&any6), sizeof any6) == 0;
    bool is_in = false;
    for (const auto& link : links()) {
      if (link.is_v6 && has_v6) {
        ipv6_mreq member{};
        member.ipv6mr_multiaddr = group_v6().sin6_addr;
        member.ipv6mr_interface = link.interface;
        is_in = set(v6.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, member) || errno == EADDRINUSE || is_in;
      } else if (!link.is_v6 && has_v4) {
        ip_mreqn member{};
        member.imr_multiaddr = group_v4().sin_addr;
        member.imr_ifindex = static_cast<int>(link.interface);
        is_in = set(v4.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, member) || errno == EADDRINUSE || is_in;
      }
    }
    return is_in;
  }

  // An announcer of the selector that is new, if its datagram waits.
  std::optional<net::TcpAddress> look(bool is_v6) {
    for (std::size_t i = 0; i < kMostAtOnce; ++i) {
      std::array<std::uint8_t, kAnnouncementSize + 1> datagram{};
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const auto count = ::recvfrom((is_v6 ? v6 : v4).get(), datagram.data(), datagram.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from), &size);
      if (count < 0) return std::nullopt;
      const auto announcement = decode(Bytes(datagram).first(static_cast<std::size_t>(count)));
      if (!announcement || announcement->selector != selector) continue;
      if (auto found = admit(source_of(from), announcement->port)) return found;
    }
    return std::nullopt;
  }

  // The same of what DNS-SD has found.
  std::optional<net::TcpAddress> look_at_dns_sd() {
    while (const auto found = dns_sd.take())
      if (found->port >= kLowestFoundPort)
        if (auto admitted = admit(found->address, found->port)) return admitted;
    return std::nullopt;
  }

  // Nothing for who is on none of this machine's links, or is known.
  std::optional<net::TcpAddress> admit(const LinkAddress& announcer, std::uint16_t port) {
    auto host = host_on_a_link(announcer);
    if (host.empty() || !known.emplace(host, port).second) return std::nullopt;
    return net::TcpAddress{.host = std::move(host), .port = port};
  }

  static LinkAddress source_of(const sockaddr_storage& from) {
    LinkAddress source{.is_v6 = from.ss_family == AF_INET6};
    if (source.is_v6) {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
      std::memcpy(source.bytes.data(), &v6.sin6_addr, 16);
      source.interface = v6.sin6_scope_id;
    } else {
      std::memcpy(source.bytes.data(), &reinterpret_cast<const sockaddr_in&>(from).sin_addr, 4);
    }
    return source;
  }

  net::Loop& loop;
  std::uint32_t selector;
  UniqueFd v4, v6;
  DnsSdBrowser dns_sd;
  std::set<std::pair<std::string, std::uint16_t>> known;
};

AnnouncementListener::AnnouncementListener(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
AnnouncementListener::AnnouncementListener(AnnouncementListener&&) noexcept = default;
AnnouncementListener::~AnnouncementListener() = default;

Expected<AnnouncementListener> AnnouncementListener::open(net::Loop& loop, std::uint32_t selector) {
  auto state = std::make_unique<State>(loop, selector);
  if (!state->join())
    return std::unexpected(Problem{.error = fmt::format("cannot hear announcements: {}", explain_errno(errno)),
                                   .hint = "type the address: pake receive HOST:PORT"});
  return AnnouncementListener(std::move(state));
}

net::Awaitable<std::optional<net::TcpAddress>> AnnouncementListener::next(net::Deadline deadline) {
  do {
    for (const bool is_v6 : {false, true})
      if (auto found = state_->look(is_v6)) co_return found;
    if (auto found = state_->look_at_dns_sd()) co_return found;
  } while (net::Clock::now() < deadline && co_await state_->loop.sleep_until(net::after(kLook)));
  co_return std::nullopt;
}

void AnnouncementListener::forget(const net::TcpAddress& announcer) {
  state_->known.erase({announcer.host, announcer.port});
}

}  // namespace pake::cli::files
