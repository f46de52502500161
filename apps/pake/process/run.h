// The loop of a command that runs until it is done or a signal ends it.
#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

#include "pake/net/coroutine.h"
#include "pake/net/loops.h"
#include "process/problem.h"

namespace pake::cli {

/// The signals that end a command, but for those that were ignored when the program began (nohup, a script's `&`).
[[nodiscard]] std::vector<int> ending_signals();

/// Ends the loops when one of ending_signals comes.
class SignalEnd {
 public:
  /// @param loops  outlive this
  explicit SignalEnd(net::Loops& loops);
  SignalEnd(const SignalEnd&) = delete;
  SignalEnd& operator=(const SignalEnd&) = delete;

  /// kExitSignal and the signal's number, or `otherwise` if none came.
  [[nodiscard]] int exit_code_or(int otherwise) const { return signal_ != 0 ? kExitSignal + signal_ : otherwise; }
  [[nodiscard]] bool came() const { return signal_ != 0; }

 private:
  int signal_ = 0;
};

using Task = std::function<net::Awaitable<Expected<void>>(net::Loops&)>;

/// Runs `task` on one loop; a signal ends it. Returns the exit code, 0 or a signal's, or what went wrong.
[[nodiscard]] Expected<int> run_on_loop(const Task& task);
/// The same; says what went wrong and returns its exit code.
[[nodiscard]] int run_to_the_end(const Task& task);

}  // namespace pake::cli
