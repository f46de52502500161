#include "network/own_user.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <variant>

#include "process/unique_fd.h"

namespace pake::cli {
namespace {

struct Endpoint {
  std::uint8_t family = AF_UNSPEC;
  std::array<std::uint32_t, 4> address{};  // in the network's order; of IPv4 the first word
  std::uint16_t port = 0;
};

std::optional<Endpoint> endpoint_of(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (tcp == nullptr) return std::nullopt;
  Endpoint endpoint{.port = tcp->port};
  for (const auto family : {AF_INET, AF_INET6}) {
    endpoint.family = static_cast<std::uint8_t>(family);
    if (::inet_pton(family, tcp->host.c_str(), endpoint.address.data()) == 1) return endpoint;
  }
  return std::nullopt;
}

/// The kernel's answers to sock_diag(7): one question, one socket, however many there are.
class SocketQuestions {
 public:
  /// Nothing if there is no such socket, or if this kernel does not answer.
  std::optional<uid_t> user_of(const Endpoint& own, const Endpoint& other) {
    if (!socket_ || socket_->get() < 0)  // there may have been no descriptor left
      socket_.emplace(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
    struct {
      nlmsghdr header;
      inet_diag_req_v2 body;
    } question{};
    question.header = {.nlmsg_len = sizeof question,
                       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                       .nlmsg_flags = NLM_F_REQUEST,
                       .nlmsg_seq = ++number_,
                       .nlmsg_pid = 0};
    question.body.sdiag_family = own.family;
    question.body.sdiag_protocol = IPPROTO_TCP;
    question.body.idiag_states = ~0U;
    auto& id = question.body.id;
    id.idiag_sport = htons(own.port);
    id.idiag_dport = htons(other.port);
    std::ranges::copy(own.address, id.idiag_src);
    std::ranges::copy(other.address, id.idiag_dst);
    std::ranges::fill(id.idiag_cookie, INET_DIAG_NOCOOKIE);
    if (::send(socket_->get(), &question, sizeof question, 0) != sizeof question) return std::nullopt;
    // The kernel has answered when the question is sent. What is left of an earlier one has another number.
    alignas(nlmsghdr) std::array<char, 1024> answer{};
    for (;;) {
      const auto size = ::recv(socket_->get(), answer.data(), answer.size(), 0);
      if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return std::nullopt;
      nlmsghdr header{};
      std::memcpy(&header, answer.data(), sizeof header);
      if (header.nlmsg_seq != number_) continue;
      inet_diag_msg found{};
      if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof found)))
        return std::nullopt;
      std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
      answers_ = true;
      // A listener at `own` is an answer too, if there is no connection. One that its process has closed has no inode,
      // and shows 0, root's number, in the place of its user's.
      if (found.idiag_state == TCP_LISTEN || found.idiag_inode == 0) return std::nullopt;
      return found.idiag_uid;
    }
  }

  /// It has told of a socket before: one that it does not tell of is not there. (A kernel without the module for TCP
  /// says of every socket what it says of one that is not there.)
  [[nodiscard]] bool answers() const noexcept { return answers_; }

 private:
  std::optional<UniqueFd> socket_;
  std::uint32_t number_ = 0;
  bool answers_ = false;
};

/// As /proc/net/tcp and tcp6 write an address: words of 32 bits in the machine's order, then the port.
std::string in_table(const Endpoint& endpoint) {
  std::string text;
  const auto words = endpoint.family == AF_INET ? 1U : 4U;
  for (std::size_t i = 0; i < words; ++i) text += fmt::format("{:08X}", endpoint.address.at(i));
  return text + fmt::format(":{:04X}", endpoint.port);
}

// Where the kernel answers no questions. It reads all connections of the machine.
std::optional<uid_t> user_by_table(const Endpoint& own_end, const Endpoint& other_end) {
  const auto own = in_table(own_end), other = in_table(other_end);
  std::ifstream table(own_end.family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6");
  std::string line;
  std::getline(table, line);  // the heading
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string number, from, to, state, queues, timer, retransmitted, timeout;
    uid_t user = 0;
    std::uint64_t inode = 0;
    if (words >> number >> from >> to >> state >> queues >> timer >> retransmitted >> user >> timeout >> inode &&
        from == own && to == other && inode != 0)
      return user;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uid_t> user_of_connection(const net::Address& peer, const net::Address& local) {
  const auto own = endpoint_of(peer), other = endpoint_of(local);
  if (!own || !other || own->family != other->family) return std::nullopt;
  thread_local SocketQuestions kernel;
  const auto user = kernel.user_of(*own, *other);
  if (user || kernel.answers()) return user;
  return user_by_table(*own, *other);
}

}  // namespace pake::cli
