// The loop of a command that runs until it is done or a signal ends it.
#pragma once

#include <functional>

#include "pake/net/coroutine.h"
#include "pake/net/loops.h"
#include "process/problem.h"

namespace pake::cli {

using Task = std::function<net::Awaitable<Expected<void>>(net::Loops&)>;

/// Runs `task` on one loop; a signal ends it. Says what went wrong and returns the exit code.
[[nodiscard]] int run_to_the_end(const Task& task);

}  // namespace pake::cli
