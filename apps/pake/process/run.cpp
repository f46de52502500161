#include "process/run.h"

#include <csignal>

#include "process/output.h"

namespace pake::cli {
namespace {

net::Awaitable<void> run_and_note(net::Loops& loops, const Task& task, Expected<void>& outcome) {
  outcome = co_await task(loops);
  loops.cancel();  // what still waits, waits for nobody
}

}  // namespace

std::vector<int> ending_signals() {
  std::vector<int> signals;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) signals.push_back(signal);
  }
  return signals;
}

SignalEnd::SignalEnd(net::Loops& loops) {
  loops.on_signal(ending_signals(), [this, &loops](int signal) {
    signal_ = signal;
    loops.cancel();
  });
}

Expected<int> run_on_loop(const Task& task) {
  net::Loops loops(1);
  const SignalEnd signals(loops);
  Expected<void> outcome;
  loops.run(run_and_note(loops, task, outcome));
  if (signals.came()) return signals.exit_code_or(kExitOk);
  if (outcome) return kExitOk;
  return std::unexpected(std::move(outcome.error()));
}

int run_to_the_end(const Task& task) {
  const auto exit_code = run_on_loop(task);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli
