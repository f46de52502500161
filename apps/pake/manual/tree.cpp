#include "manual/tree.h"

#include <algorithm>

#include "options/command_line.h"

namespace pake::cli::manual {

std::vector<const CLI::App*> subcommands(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::Option*> positionals(const CLI::App& command) {
  return command.get_options([](const CLI::Option* one) { return one->get_positional() && !one->get_group().empty(); });
}

std::vector<const CLI::Option*> options(const CLI::App& command) {
  return command.get_options(
      [](const CLI::Option* one) { return !one->get_positional() && !one->get_group().empty(); });
}

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> all;
  for (const auto& name : option.get_snames()) all.push_back("-" + name);
  for (const auto& name : option.get_lnames()) all.push_back("--" + name);
  return all;
}

bool takes_value(const CLI::Option& option) { return !option.get_type_name().empty(); }
bool takes_file(const CLI::Option& option) { return option.get_type_name() == "FILE"; }

void visit(const CLI::App& command, const std::function<void(const CLI::App&)>& visitor) {
  visitor(command);
  for (const auto* one : subcommands(command)) visit(*one, visitor);
}

std::string joined_name(const CLI::App& command, char separator) {
  auto name = full_name(command);
  std::ranges::replace(name, ' ', separator);
  return name;
}

}  // namespace pake::cli::manual
