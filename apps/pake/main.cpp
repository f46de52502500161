// pake: the command line.
#include <CLI/CLI.hpp>
#include <cctype>
#include <string>
#include <string_view>
#include <tuple>

#include "options/command_line.h"
#include "pake/crypto/openssl_memory.h"
#include "process/output.h"
#include "process/problem.h"
#include "process/process.h"

namespace pake::cli {
namespace {

const CLI::App& deepest(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : deepest(*commands.front());
}

std::string help_of(const CLI::App& app) {
  auto text = app.help(app.get_parent() == nullptr ? "" : full_name(*app.get_parent()));
  constexpr std::string_view kHidden = " []";  // what CLI11 leaves of a positional that it does not show
  if (const auto at = text.find(kHidden); at != std::string::npos) text.erase(at, kHidden.size());
  return text;
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
  CommandLine line;
  auto& app = line.app;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return print(help_of(deepest(app)));
  } catch (const CLI::CallForVersion&) {
    return print(app.version());
  } catch (const CLI::ParseError& problem) {
    return refuse(app, problem.what());
  }
  return line.chosen ? line.chosen() : refuse(app, "a command is missing");
}

}  // namespace
}  // namespace pake::cli

int main(int argc, char** argv) {
  std::ignore = pake::crypto::wipe_memory_that_openssl_frees();  // nothing has used OpenSSL yet
  pake::cli::harden_process();
  return pake::cli::run(argc, argv);
}
