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

int run_to_the_end(const Task& task) {
  net::Loops loops(1);
  int signal = 0;
  Expected<void> outcome;
  loops.on_signal({SIGINT, SIGTERM, SIGHUP}, [&](int taken) {
    signal = taken;
    loops.cancel();
  });
  loops.run(run_and_note(loops, task, outcome));
  if (signal != 0) return kExitSignal + signal;
  if (outcome) return kExitOk;
  return report(outcome.error());
}

}  // namespace pake::cli
