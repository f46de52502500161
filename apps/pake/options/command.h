// A command: what it is called, what may be set, what its pages say, what it does. The program is a tree of them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "options/setting.h"
#include "process/problem.h"

namespace pake::cli {

/// How a command was called. What reads its configuration again needs it.
struct Invocation {
  Given given = {};
  std::optional<std::string> configuration = {};  // the file, if one was named
};

/// A variable of the environment, as manual pages name it.
struct Variable {
  std::string name;
  std::string help;
};

/// For a command that reads a configuration file: `add_configuration` fills it.
struct Configuration {
  std::optional<std::string> file = {};
  bool check_only = false;
  std::function<std::optional<std::string>()> usual_file = {};  // read if it is there and --config names no other
};

struct Command {
  std::string name;
  std::string summary;     // one line: "Show a code, wait for the one who types it"
  std::string brief = {};  // for --help: what one must know; one paragraph
  std::vector<std::string> text =
      {};  // for the manual page: paragraphs; a line that begins with a space is shown as it is
  std::vector<std::string> examples = {};  // a line each
  std::vector<int> exit_codes = {};        // of kExitCodes, those that it ends with; without any those of its commands
  std::vector<Variable> environment = {};
  Settings settings = {};
  std::shared_ptr<Configuration> configuration = {};
  std::function<Expected<void>(const Given&)> check = {};  // what no setting can see alone
  std::function<int(const Invocation&)> run = {};          // returns the exit code; none: a command must follow
  std::vector<Command> commands = {};
};

/// Adds --config FILE and --check-config: every setting of `command` that has a key may come from that file too. What
/// the command line gives wins.
void add_configuration(Command& command);

/// Gives `settings` their values: from the configuration file, if one is named, and over it from the command line.
/// Called again with fresh variables when a running program is told to read its configuration again.
[[nodiscard]] Expected<void> apply_settings(const Settings& settings, const Invocation& invocation);

/// Parses the command line, answers --help, --version, --check-config and complaints itself, and runs the command that
/// was typed. Returns the exit code.
[[nodiscard]] int run_program(const Command& program, const std::string& version, int argc, const char* const* argv);

/// A command and how it is called: {"pake eke listen", ...}.
struct NamedCommand {
  std::string full_name;
  const Command* command;
};
/// `program` and all below it, each before what is below it.
[[nodiscard]] std::vector<NamedCommand> all_commands(const Command& program);

/// What --help prints: at most 80 columns.
[[nodiscard]] std::string help_of(const NamedCommand& command);

}  // namespace pake::cli
