#include "manual/man_page.h"

#include <fmt/format.h>

#include <iterator>
#include <set>
#include <string_view>

#include "manual/tree.h"
#include "process/problem.h"
#include "secrets/secret_source.h"

namespace pake::cli::manual {
namespace {

// man-pages(7), groff_char(7): a plain hyphen and an apostrophe would be set as typographer's ones.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '-')
      result += "\\-";
    else if (c == '\\')
      result += "\\e";
    else if (c == '\'')
      result += "\\(aq";
    else
      result += c;
  }
  return text.starts_with('.') ? "\\&" + result : result;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", escaped(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", escaped(text)); }

std::string reference(const CLI::App& command) { return bold(joined_name(command, '-')) + "(1)"; }

std::string tagged(std::string_view tag, std::string_view text) { return fmt::format(".TP\n{}\n{}\n", tag, text); }

std::string sentence(std::string_view text) { return escaped(text) + '.'; }

std::string synopsis(const CLI::App& command) {
  std::string text = bold(full_name(command)) + " [" + italic("OPTIONS") + "]";
  for (const auto* one : positionals(command)) text += " [" + italic(one->get_name(true)) + "]";
  if (!subcommands(command).empty()) text += " " + italic("COMMAND");
  return text + '\n';
}

std::string explained(const CLI::Option& option) {
  const auto preset = option.get_default_str();
  return escaped(option.get_description()) + (preset.empty() ? "." : ". Default: " + escaped(preset) + ".");
}

std::string option_list(const CLI::App& command) {
  std::string text;
  for (const auto* one : positionals(command)) text += tagged(italic(one->get_name(true)), explained(*one));
  for (const auto* one : options(command)) {
    std::string tag;
    for (const auto& name : spellings(*one)) tag += (tag.empty() ? "" : ", ") + bold(name);
    if (takes_value(*one)) tag += " " + italic(one->get_type_name());
    text += tagged(tag, explained(*one));
  }
  return text;
}

std::string command_list(const CLI::App& command) {
  std::string text;
  for (const auto* one : subcommands(command)) text += tagged(reference(*one), sentence(one->get_description()));
  return text;
}

std::set<int> exit_codes(const CommandLine& line, const CLI::App& command) {
  std::set<int> codes;
  visit(command, [&](const CLI::App& one) {
    const auto& own = line.pages.at(&one).exit_codes;
    codes.insert(own.begin(), own.end());
  });
  return codes;
}

std::string exit_status(const CommandLine& line, const CLI::App& command) {
  std::string text;
  const auto codes = exit_codes(line, command);
  for (const auto& [code, meaning] : kExitCodes)
    if (codes.contains(code)) text += tagged(bold(std::to_string(code)), sentence(meaning));
  return text +
         tagged(fmt::format("{} + {}", bold(std::to_string(kExitSignal)), italic("n")), "Ended by signal \\fIn\\fR.");
}

std::string example_lines(const Page& page) {
  std::string text = ".nf\n";
  for (const auto& example : page.examples) text += escaped(example) + '\n';
  return text + ".fi\n";
}

// The command above, those beside, and those below.
std::string see_also(const CLI::App& command) {
  std::string text;
  const auto add = [&](const CLI::App& other) {
    if (&other != &command) text += (text.empty() ? "" : ",\n") + reference(other);
  };
  if (const auto* const parent = command.get_parent(); parent != nullptr) {
    add(*parent);
    for (const auto* one : subcommands(*parent)) add(*one);
  }
  for (const auto* one : subcommands(command)) add(*one);
  return text + '\n';
}

}  // namespace

std::string man_page(const CommandLine& line, const CLI::App& command) {
  const auto& page = line.pages.at(&command);
  const auto name = joined_name(command, '-');
  std::string roff = fmt::format(".TH {} 1 \"\" \"{}\" \"{} manual\"\n.nh\n.ad l\n", escaped(name), line.app.version(),
                                 line.app.get_name());
  const auto section = [&](std::string_view title, const std::string& text) {
    if (!text.empty()) fmt::format_to(std::back_inserter(roff), ".SH {}\n{}", title, text);
  };
  section("NAME", escaped(name) + " \\- " + escaped(command.get_description()) + '\n');
  section("SYNOPSIS", synopsis(command));
  section("DESCRIPTION", page.text.empty() ? "" : escaped(page.text) + '\n');
  section("COMMANDS", command_list(command));
  section("OPTIONS", option_list(command));
  section("EXIT STATUS", exit_status(line, command));
  if (takes_secret(command)) section("ENVIRONMENT", tagged(bold(kSecretVariable), sentence(kSecretVariableHelp)));
  section("EXAMPLES", example_lines(page));
  section("SEE ALSO", see_also(command));
  return roff;
}

}  // namespace pake::cli::manual
