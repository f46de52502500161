// The whole command line as a tree: what is parsed, and what the manual pages and the completions are made from.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pake::cli {

/// What a command's --help and its manual page say beyond its options.
struct Page {
  std::string text = {};              // what one must know; one paragraph
  std::vector<std::string> examples;  // a line each
  std::vector<int> exit_codes = {};   // of kExitCodes, those that it ends with; without any those of its subcommands
};

struct CommandLine {
  CommandLine();

  /// Keeps the page of `command`, and shows text and examples under its --help.
  void describe(CLI::App& command, Page page);

  CLI::App app;
  std::function<int()> chosen;  // after parsing: runs the command that was typed; returns its exit code
  std::map<const CLI::App*, Page> pages;
};

/// "pake eke listen".
[[nodiscard]] std::string full_name(const CLI::App& command);

}  // namespace pake::cli
