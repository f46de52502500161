// Some nodes of a server on one store, their clients, attackers and operators, the store's failures and the nodes'
// crashes: all of it from one seed, in one thread, on a clock of its own.
//
// What runs is the server's own, on loops that are stepped by hand: ConnectionHandler with its Visit and ServedSession,
// the channel's link with its tickets, the feed, OpenGuesses, Accounts, Generations, Administration, and the store's
// rows, buckets and seals. What is played: the clocks (simulated_clock.h), the connections (simulated_stream.h), the
// store's tables and its latency, and the arithmetic of a handshake, which costs too much: whether a client proves what
// it must is looked up, and the guess is spent and given back where ServerHandshake does it. What is done in a channel
// that a code has opened is played too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bug.h"

namespace pake::server::simulation {

struct Plan {
  std::uint64_t seed = 0;
  Bug bug = Bug::none;
  /// Only attackers, and nothing else happens: what they are told is written down. The account they attack is there or
  /// is not.
  enum class Twin : std::uint8_t { no, with_account, without_account } twin = Twin::no;
};

struct Report {
  std::optional<std::string> violation;  // of which property, and when
  std::vector<std::string> told;         // to attackers, one after the other (twins)
  std::size_t events = 0, answered = 0, throttled = 0, unavailable = 0, accepted = 0, by_ticket = 0, crashes = 0,
              changes = 0, ended = 0, honest = 0, by_device = 0, redeemed = 0;
};

/// Runs until the plan's time is over or a property is violated.
[[nodiscard]] Report simulate(const Plan& plan);

}  // namespace pake::server::simulation
