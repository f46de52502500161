// stdout for data, stderr for words.
#pragma once

#include <functional>
#include <mutex>
#include <string_view>

#include "process/problem.h"

namespace pake::cli {

/// Data, line by line; each leaves at once and whole, whichever thread writes it.
class Output {
 public:
  /// @param fd         where to, usually stdout
  /// @param on_broken  called once, when nothing more can be written there
  explicit Output(int fd, std::function<void()> on_broken = {});

  /// Writes `text` and a newline. Waits if a reader is slow.
  void line(std::string_view text);
  /// The errno of the first write that failed, or 0.
  [[nodiscard]] int failure() const;
  /// The same as a problem; `fd` is stdout.
  [[nodiscard]] Expected<void> outcome() const;

 private:
  int fd_;
  std::function<void()> on_broken_;
  mutable std::mutex mutex_;
  int failure_ = 0;
};

/// Whatever is written to a terminal from now on, by `Output` and by `say`, is written within `guard`, which keeps the
/// line that is being typed below it. An empty one ends that.
void guard_screen(std::function<int(const std::function<int()>& write)> guard);

/// From now on say_note says nothing (--quiet).
void leave_notes_out();
[[nodiscard]] bool says_notes();

/// One line on stderr. A stderr that takes none changes nothing.
void say(std::string_view kind, std::string_view text);
inline void say_error(std::string_view text) { say("error", text); }
inline void say_hint(std::string_view text) { say("hint", text); }
void say_note(std::string_view text);

/// Says what is wrong; returns its exit code.
int report(const Problem& problem);

}  // namespace pake::cli
