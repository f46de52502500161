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
inline constexpr int kExitService = 8;
inline constexpr int kExitStore = 9;
inline constexpr int kExitRemote = 10;
inline constexpr int kExitSignal = 128;  // plus the signal's number

struct ExitCode {
  int code;
  std::string_view meaning;  // as manual pages say it
};
inline constexpr std::array kExitCodes = {
    ExitCode{kExitOk, "Everything was done, and the other side says so too"},
    ExitCode{kExitFailed, "Something went wrong on this machine: a file, the terminal, memory"},
    ExitCode{kExitUsage, "The command or its configuration is not right as it is written; nothing was done"},
    ExitCode{kExitAuthFailed, "Wrong password or code, or somebody is in between"},
    ExitCode{kExitUnreachable, "Nobody could be reached at that address"},
    ExitCode{kExitThrottled, "Too many tries or too many callers; the message says how many seconds to wait"},
    ExitCode{kExitCutShort, "The connection was lost, or the other side gave up, before everything had arrived"},
    ExitCode{kExitProtocol, "The other side is another program or another version, or somebody changed what was sent"},
    ExitCode{kExitService, "The server does not offer this service to this user, or the service behind it is down"},
    ExitCode{kExitStore, "The file or database of users or keys cannot be used"},
    ExitCode{kExitRemote, "The command that ran on the other machine failed; the message says how"},
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
