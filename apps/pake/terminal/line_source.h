// Lines to send: typed at a terminal with editing and history, or read from stdin.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace pake::cli {

struct Line {
  enum class Kind : unsigned char {
    text,      // a line, without its end
    too_long,  // one of more than the wanted bytes; `size` says how many, its text is gone
    end,       // no line is left
    failed,    // stdin could not be read: `size` is the errno
  };
  Kind kind = Kind::end;
  std::string text = {};
  std::size_t size = 0;
};

/// Reads on a thread of its own, since neither files nor line editing can be waited for, and only when asked: at a
/// terminal the prompt comes when its line is wanted. Ending it leaves the terminal as it was.
class LineSource {
 public:
  /// @param longest  no longer line is kept in memory
  /// @param arrived  called on the thread when the line that was asked for is there
  LineSource(std::size_t longest, std::function<void(Line)> arrived);
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;
  ~LineSource();

  /// Asks for the next line; not before the last one has arrived.
  void ask();
  /// Runs `write`, which shows whole lines on stdout, a terminal: above the line that is being typed, if there is one.
  /// Any thread may call it.
  /// @return what `write` returns
  int show_above(const std::function<int()>& write);
  /// True at a terminal.
  [[nodiscard]] bool is_interactive() const noexcept;

 private:
  class Reader;
  class PlainReader;
  class TerminalReader;
  class Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace pake::cli
