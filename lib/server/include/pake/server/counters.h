// What the server counts while it runs. Any thread; read by whoever shows metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pake::server {

/// How a handshake ended.
enum class Outcome : std::uint8_t {
  accepted,
  refused,      // the proof was wrong, or the ticket is not good any more
  throttled,    // no guess left, or no place
  unavailable,  // the store did not answer
  protocol,     // no frames of this protocol, an unknown server name, a suite that there is not
  gone,         // the client left before its finish
};
inline constexpr std::size_t kOutcomes = 6;
[[nodiscard]] std::string_view to_string(Outcome outcome) noexcept;

/// Of what kind the hello was.
enum class Entrance : std::uint8_t { none, password, code, ticket };
inline constexpr std::size_t kEntrances = 4;
[[nodiscard]] std::string_view to_string(Entrance entrance) noexcept;

struct Counters {
  using Counter = std::atomic<std::uint64_t>;

  Counter connections{0};
  Counter evictions{0};  // silent connections that made room
  std::array<std::array<Counter, kOutcomes>, kEntrances> handshakes{};
  Counter guesses_charged{0};
  Counter guesses_given_back{0};
  Counter store_errors{0};
  Counter streams{0};
  Counter streams_refused{0};
  Counter backend_failures{0};
  Counter bytes_from_clients{0};
  Counter bytes_to_clients{0};
  Counter sessions_ended_by_change{0};
  Counter enrolments{0};
  Counter meetings{0};  // who came to meet somebody, either side

  void count(Entrance entrance, Outcome outcome) noexcept {
    ++handshakes.at(static_cast<std::size_t>(entrance)).at(static_cast<std::size_t>(outcome));
  }
};

}  // namespace pake::server
