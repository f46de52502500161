// How a command ends, and what it says when it ends badly.
#pragma once

#include <array>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>

namespace pake::cli {

// The exit codes of every command. Scripts rely on them: never renumber.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitAuthFailed = 3;
inline constexpr int kExitUnreachable = 4;
inline constexpr int kExitThrottled = 5;
inline constexpr int kExitCutShort = 6;
inline constexpr int kExitProtocol = 7;
inline constexpr int kExitStore = 9;
inline constexpr int kExitSignal = 128;  // plus the signal's number

struct ExitCode {
  int code;
  std::string_view meaning;  // as manual pages say it
};
inline constexpr std::array kExitCodes = {
    ExitCode{kExitOk, "The whole thing was done"},
    ExitCode{kExitFailed, "Something else failed on this machine"},
    ExitCode{kExitUsage, "The command line is wrong"},
    ExitCode{kExitAuthFailed, "Authentication failed: the other side did not prove the secret, or we did not"},
    ExitCode{kExitUnreachable, "No connection"},
    ExitCode{kExitThrottled, "No guess is left, or no place; the seconds to wait are told"},
    ExitCode{kExitCutShort, "Cut short: the other side vanished, gave up, or did not answer in time"},
    ExitCode{kExitProtocol, "The other side does not speak this protocol, or somebody meddles"},
    ExitCode{kExitStore, "The file of users cannot be used"},
};

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
