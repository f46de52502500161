// A line of a trace: docs/traces.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pake/base/bytes.h"

namespace pake::cli::trace {

/// What an observer may know of a field.
enum class Kind : std::uint8_t {
  open,      // "public": meant to be seen, by everybody
  password,  // encrypted under the password, or under what is made of it
  session,   // encrypted under a key of the session, or a proof that its sender has it
  clear,     // somebody's own words, in clear
};
enum class Role : std::uint8_t { client, server };  // who connects, who waits
enum class Passed : std::uint8_t { sent, received };

/// A part of a frame, `size` bytes from `at` on.
struct Field {
  std::string name = {};
  std::size_t at = 0;
  std::size_t size = 0;
  Kind kind = Kind::open;
  friend bool operator==(const Field&, const Field&) = default;
};

struct Frame {
  std::uint64_t us = 0;           // since the trace began
  std::string protocol = {};      // "pake/2", "rsa-eke"; empty: not said
  std::optional<Role> role = {};  // of the program that wrote the trace
  std::uint64_t connection = 0;   // 0: not said
  Passed passed = Passed::sent;
  std::string name = {};
  Buffer bytes = {};
  std::vector<Field> fields = {};  // none: not said
  friend bool operator==(const Frame&, const Frame&) = default;
};

/// The last line of a trace that was full.
struct LeftOut {
  std::uint64_t us = 0;
  std::uint64_t frames = 0;
  friend bool operator==(const LeftOut&, const LeftOut&) = default;
};

using Line = std::variant<Frame, LeftOut>;

inline constexpr std::size_t kMaxLine = 1U << 20U;  // a longer one is refused by who reads
inline constexpr std::size_t kMaxFields = 64;       // of a frame
inline constexpr std::size_t kMaxName = 256;        // bytes of a name, of whatever
inline constexpr std::uint64_t kMaxConnections = 1ULL << 53U;

[[nodiscard]] std::string_view name_of(Kind kind) noexcept;
[[nodiscard]] std::string_view name_of(Role role) noexcept;

/// ASCII, with a newline at its end.
[[nodiscard]] std::string to_line(const Line& line);

/// @param text  without its newline
/// @return the line, or what is wrong with it; names are as they came, and whatever they hold
[[nodiscard]] std::expected<Line, std::string> parse_line(std::string_view text);

}  // namespace pake::cli::trace
