// Puts `pake listen` and `pake dial` into the command line.
#pragma once

#include <CLI/App.hpp>
#include <functional>

namespace pake::cli::pipe {

/// `chosen` becomes what to run when one of them was asked for.
void add_commands(CLI::App& app, std::function<int()>& chosen);

}  // namespace pake::cli::pipe
