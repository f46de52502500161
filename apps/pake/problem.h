// How a command ends, and what it says when it ends badly.
#pragma once

#include <expected>
#include <string>
#include <system_error>

namespace pake::cli {

// The exit codes of every command. Scripts rely on them: never renumber.
inline constexpr int kExitOk = 0;           // the whole thing
inline constexpr int kExitFailed = 1;       // other local failure
inline constexpr int kExitUsage = 2;        // the command line
inline constexpr int kExitAuthFailed = 3;   // the peer did not prove the password, or we did not
inline constexpr int kExitUnreachable = 4;  // no connection
inline constexpr int kExitThrottled = 5;    // no guess is left, or no place; the seconds are told
inline constexpr int kExitCutShort = 6;     // the peer vanished, or did not answer in time
inline constexpr int kExitProtocol = 7;     // the peer does not speak this protocol
inline constexpr int kExitStore = 9;        // the file of users
inline constexpr int kExitSignal = 128;     // plus the signal's number

/// Why a command cannot go on.
struct Problem {
  int exit_code = kExitFailed;
  std::string error;      // a lower-case sentence without a full stop
  std::string hint = {};  // what to type instead, if there is something
};

/// What an errno stands for, in the system's words.
[[nodiscard]] inline std::string explain_errno(int error) { return std::generic_category().message(error); }

template <class T>
using Expected = std::expected<T, Problem>;

}  // namespace pake::cli
