// How the generators look at the command line's tree: what --help shows, and nothing that it hides.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

namespace pake::cli::manual {

[[nodiscard]] std::vector<const CLI::App*> subcommands(const CLI::App& command);
[[nodiscard]] std::vector<const CLI::Option*> positionals(const CLI::App& command);
[[nodiscard]] std::vector<const CLI::Option*> options(const CLI::App& command);

/// "--deadline", or "-h" and "--help".
[[nodiscard]] std::vector<std::string> spellings(const CLI::Option& option);
[[nodiscard]] bool takes_value(const CLI::Option& option);
[[nodiscard]] bool takes_file(const CLI::Option& option);

/// `command` and all below it, each before what is below it.
void visit(const CLI::App& command, const std::function<void(const CLI::App&)>& visitor);

/// full_name with `separator` between its words: "pake-eke-listen".
[[nodiscard]] std::string joined_name(const CLI::App& command, char separator);

}  // namespace pake::cli::manual
