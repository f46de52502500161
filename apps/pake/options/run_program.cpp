// From the words of a command line to an exit code.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "options/command.h"
#include "options/parse.h"
#include "process/output.h"

namespace pake::cli {
namespace {

int print(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  Output output(STDOUT_FILENO);
  output.line(text);
  const auto written = output.outcome();
  return written ? kExitOk : report(written.error());
}

// "pake help eke listen" is "pake eke listen --help".
std::vector<std::string> without_help_command(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  words.emplace_back("--help");
  return words;
}

int run_command(const NamedCommand& named, Given given) {
  const auto& command = *named.command;
  Invocation invocation{.given = std::move(given)};
  if (command.configuration) {
    const auto file = invocation.given.find("--config");
    if (file != invocation.given.end())
      invocation.configuration = file->second.back();
    else if (command.configuration->usual_file)
      invocation.configuration = command.configuration->usual_file();
  }
  if (const auto applied = apply_settings(command.settings, invocation); !applied) return report(applied.error());
  if (command.check)
    if (const auto checked = command.check(invocation.given); !checked) return report(checked.error());
  if (command.configuration && command.configuration->check_only) {
    say_note(invocation.configuration ? fmt::format("{} is right", *invocation.configuration)
                                      : "there is no configuration file: the defaults hold");
    return kExitOk;
  }
  // Threads, descriptors and memory that a command does not get are thrown by the standard library and by Asio.
  try {
    return command.run(invocation);
  } catch (const std::system_error& error) {
    return report({.error = fmt::format("cannot begin: {}", explain_errno(error.code().value()))});
  } catch (const std::bad_alloc&) {
    return report({.error = fmt::format("cannot begin: {}", explain_errno(ENOMEM))});
  }
}

}  // namespace

int run_program(const Command& program, const std::string& version, int argc, const char* const* argv) {
  const auto words = without_help_command(argc, argv);
  const auto parsed = parse(program, words);
  if (!parsed) return report(parsed.error());
  const auto& named = parsed->path.back();
  if (parsed->wants_version) return print(version);
  if (parsed->wants_help) return print(help_of(named));
  if (named.command->run) return run_command(named, parsed->given);
  return report({.exit_code = kExitUsage, .error = "a command is missing", .hint = named.full_name + " --help"});
}

}  // namespace pake::cli
