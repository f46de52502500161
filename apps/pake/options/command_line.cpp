#include "options/command_line.h"

#include <utility>

#include "eke/command.h"
#include "pipe/command.h"

namespace pake::cli {

CommandLine::CommandLine() : app("Password-authenticated key exchange", "pake") {
  app.set_version_flag("--version", "pake " PAKE_VERSION);
  describe(app, {.examples = {"pake listen                  shows a code",
                              "pake dial HOST:PORT          on the other side, asks for it"}});
  pipe::add_commands(*this);
  eke::add_command(*this);
}

void CommandLine::describe(CLI::App& command, Page page) {
  std::string footer = page.text.empty() ? "" : page.text + '\n';
  footer += page.examples.size() == 1 ? "Example:" : "Examples:";
  for (const auto& example : page.examples) footer += "\n  " + example;
  command.footer(footer);
  pages.emplace(&command, std::move(page));
}

std::string full_name(const CLI::App& command) {
  const auto* const parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

}  // namespace pake::cli
