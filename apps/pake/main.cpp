// pake: the command line.
#include <CLI/CLI.hpp>
#include <cctype>
#include <functional>
#include <string>

#include "eke/command.h"
#include "output.h"
#include "pipe/command.h"
#include "problem.h"
#include "process.h"

namespace pake::cli {
namespace {

const CLI::App& deepest(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : deepest(*commands.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

std::string help_of(const CLI::App& app) {
  return app.help(app.get_parent() == nullptr ? "" : full_name(*app.get_parent()));
}

int print(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  Output output(STDOUT_FILENO);
  output.line(text);
  if (output.failure() == 0) return kExitOk;
  say_error(std::string("cannot write to stdout: ") + explain_errno(output.failure()));
  return kExitFailed;
}

int refuse(const CLI::App& app, std::string error) {
  error.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(error.front())));
  say_error(error);
  say_hint(full_name(deepest(app)) + " --help");
  return kExitUsage;
}

int run(int argc, char** argv) {
  CLI::App app("Password-authenticated key exchange.", "pake");
  app.set_version_flag("--version", "pake " PAKE_VERSION);
  app.footer(
      "Examples:\n  pake listen                  shows a code\n  pake dial HOST:PORT          on the other side, asks "
      "for it");
  std::function<int()> chosen;
  pipe::add_commands(app, chosen);
  eke::add_command(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return print(help_of(deepest(app)));
  } catch (const CLI::CallForVersion&) {
    return print(app.version());
  } catch (const CLI::ParseError& problem) {
    return refuse(app, problem.what());
  }
  return chosen ? chosen() : refuse(app, "a command is missing");
}

}  // namespace
}  // namespace pake::cli

int main(int argc, char** argv) {
  pake::cli::harden_process();
  return pake::cli::run(argc, argv);
}
