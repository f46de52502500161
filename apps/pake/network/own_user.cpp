#include "network/own_user.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <variant>

namespace pake::cli {
namespace {

/// As /proc/net/tcp and tcp6 write an address: words of 32 bits in the machine's order, then the port.
std::string in_table(const void* bytes, std::size_t size, std::uint16_t port) {
  std::string text;
  for (std::size_t at = 0; at < size; at += sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    std::memcpy(&word, static_cast<const char*>(bytes) + at, sizeof word);
    text += fmt::format("{:08X}", word);
  }
  return text + fmt::format(":{:04X}", port);
}

struct Entry {
  std::string table;
  std::string address;
};

std::optional<Entry> entry_of(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (tcp == nullptr) return std::nullopt;
  in_addr v4{};
  if (::inet_pton(AF_INET, tcp->host.c_str(), &v4) == 1)
    return Entry{.table = "/proc/net/tcp", .address = in_table(&v4, sizeof v4, tcp->port)};
  in6_addr v6{};
  if (::inet_pton(AF_INET6, tcp->host.c_str(), &v6) == 1)
    return Entry{.table = "/proc/net/tcp6", .address = in_table(&v6, sizeof v6, tcp->port)};
  return std::nullopt;
}

}  // namespace

std::optional<uid_t> user_of_connection(const net::Address& peer, const net::Address& local) {
  const auto from = entry_of(peer);
  const auto to = entry_of(local);
  if (!from || !to || from->table != to->table) return std::nullopt;
  std::ifstream table(from->table);
  std::string line;
  std::getline(table, line);  // the heading
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string number, own, other, state, queues, timer, retransmitted;
    uid_t user = 0;
    if (words >> number >> own >> other >> state >> queues >> timer >> retransmitted >> user && own == from->address &&
        other == to->address)
      return user;
  }
  return std::nullopt;
}

}  // namespace pake::cli
