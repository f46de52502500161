#include "simulated_clock.h"

#include <atomic>

namespace pake::server::simulation {
namespace {

// The log has a thread of its own.
std::atomic<std::chrono::steady_clock::time_point> steady_now;
std::atomic<std::chrono::system_clock::time_point> wall_now;

}  // namespace

void set_clocks(std::chrono::steady_clock::time_point steady, std::chrono::system_clock::time_point wall) noexcept {
  steady_now = steady;
  wall_now = wall;
}

}  // namespace pake::server::simulation

// The linker takes these in place of the standard library's, as it takes a program's own operator new. Shared libraries
// keep the system's time: the log's thread waits by it.
asm(".hidden _ZNSt6chrono3_V212steady_clock3nowEv");
asm(".hidden _ZNSt6chrono3_V212system_clock3nowEv");
std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
  return pake::server::simulation::steady_now;
}
std::chrono::system_clock::time_point std::chrono::system_clock::now() noexcept {
  return pake::server::simulation::wall_now;
}
