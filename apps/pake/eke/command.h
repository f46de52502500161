// `pake eke`: the seed's two programs.
#pragma once

#include <CLI/App.hpp>
#include <functional>

namespace pake::cli::eke {

/// Adds `eke listen` and `eke connect`; the one that is typed sets `chosen`, which runs it and returns its exit code.
void add_command(CLI::App& app, std::function<int()>& chosen);

}  // namespace pake::cli::eke
