// A terminal is shared with a shell: who may use it now, and the signals by which that changes.
#pragma once

#include <termios.h>

#include <csignal>
#include <initializer_list>
#include <map>
#include <optional>

#include "process/unique_fd.h"

namespace pake::cli {

/// Whether `terminal` is this process's to use now.
[[nodiscard]] bool is_in_foreground(int terminal);

/// Stops the process, as the system stops one that reads its terminal in the background, until it is in the foreground.
/// False if nobody can bring it there.
[[nodiscard]] bool wait_for_foreground(int terminal);

/// The keys of `terminal`, which controls this process: a read never waits for one. A shell may take what poll has
/// announced, while this process is stopped.
[[nodiscard]] UniqueFd open_keys(int terminal);

/// Stops the process as SIGTSTP does to one that knows nothing of it; returns when it goes on.
void stop_by_signal();

/// Hears of signals while it lives, whichever thread they come to: they wait to be read. What was ignored stays
/// ignored. One at a time.
class SignalPipe {
 public:
  explicit SignalPipe(std::initializer_list<int> signals);
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;
  ~SignalPipe();

  /// Readable when a signal has come; -1 if there is no descriptor left for it.
  [[nodiscard]] int fd() const noexcept { return reading_; }
  /// One that has come, or 0.
  [[nodiscard]] int take() const noexcept;

 private:
  int reading_ = -1;
  std::map<int, struct sigaction> before_;
};

/// A terminal's modes, as this program finds them and as it wants them. What a shell set while this process was stopped
/// counts as found.
class TerminalModes {
 public:
  explicit TerminalModes(int terminal) noexcept : terminal_(terminal) {}
  TerminalModes(const TerminalModes&) = delete;
  TerminalModes& operator=(const TerminalModes&) = delete;
  ~TerminalModes() { restore(); }

  /// Reads the modes, in the foreground.
  void find();
  /// Sets what `change` makes of the modes that were found; throws away what was typed before.
  void set(void (*change)(termios&));
  /// As they were found.
  void restore();
  /// Notes that somebody else sets modes of this program's, which `restore` undoes.
  void set_by_others() { ours_ = termios{}; }

 private:
  int terminal_;
  std::optional<termios> found_;
  std::optional<termios> ours_;
};

}  // namespace pake::cli
