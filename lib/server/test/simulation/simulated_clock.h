// The clocks of the standard library, as the simulation sets them: in its program nobody can ask the system for the
// time.
#pragma once

#include <chrono>

namespace pake::server::simulation {

/// What steady_clock and system_clock say from now on.
void set_clocks(std::chrono::steady_clock::time_point steady, std::chrono::system_clock::time_point wall) noexcept;

}  // namespace pake::server::simulation
