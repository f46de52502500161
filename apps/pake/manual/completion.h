// What a shell offers behind `pake` and the tabulator: subcommands, options, and files where an option takes one.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace pake::cli::manual {

[[nodiscard]] std::string bash_completion(const CLI::App& app);
[[nodiscard]] std::string zsh_completion(const CLI::App& app);
[[nodiscard]] std::string fish_completion(const CLI::App& app);

}  // namespace pake::cli::manual
