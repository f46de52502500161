#include "manual/man_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <vector>

#include "process/problem.h"

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

std::string reference(const NamedCommand& command) { return bold(joined_name(command.full_name, '-')) + "(1)"; }

std::string tagged(std::string_view tag, std::string_view text) { return fmt::format(".TP\n{}\n{}\n", tag, text); }

std::string sentence(std::string_view text) { return escaped(text) + '.'; }

// Paragraphs, one below the other. A line that begins with a space is shown as it is.
std::string paragraphs(const std::vector<std::string>& texts) {
  std::string roff;
  for (const auto& text : texts) {
    if (text.starts_with(' '))
      roff += fmt::format(".PP\n.nf\n.RS 4\n{}\n.RE\n.fi\n", escaped(text.substr(1)));
    else
      roff += fmt::format(".PP\n{}\n", escaped(text));
  }
  return roff;
}

std::string synopsis(const NamedCommand& named) {
  std::string text = bold(named.full_name) + " [" + italic("OPTIONS") + "]";
  for (const auto& setting : named.command->settings) {
    if (!setting.is_word() || !setting.is_shown()) continue;
    const auto word = italic(setting.flag) + (setting.value.type == Value::Type::list ? "..." : "");
    text += setting.required ? " " + word : " [" + word + "]";
  }
  if (!named.command->commands.empty()) text += " " + italic("COMMAND");
  return text + '\n';
}

std::string explained(const Setting& setting) {
  std::string text = sentence(setting.help);
  if (!setting.takes_value()) return text;
  if (!setting.value.bounds.empty() && setting.value.type == Value::Type::number)
    text += fmt::format(" From {}.", escaped(setting.value.bounds));
  const auto preset = setting.value.show ? setting.value.show() : "";
  return preset.empty() ? text : text + " Default: " + escaped(preset) + ".";
}

std::string option_list(const NamedCommand& named) {
  std::string text;
  for (const auto& setting : named.command->settings)
    if (setting.is_word() && setting.is_shown()) text += tagged(italic(setting.flag), explained(setting));
  for (const auto& setting : named.command->settings) {
    if (setting.is_word() || !setting.is_shown()) continue;
    std::string tag;
    for (const auto& name : setting.spellings()) tag += (tag.empty() ? "" : ", ") + bold(name);
    if (setting.takes_value()) tag += " " + italic(setting.value.name);
    text += tagged(tag, explained(setting));
  }
  text += tagged(bold("-h") + ", " + bold("--help"), "Print help and end.");
  if (named.full_name == named.command->name) text += tagged(bold("--version"), "Print the version and end.");
  return text;
}

std::string command_list(const NamedCommand& named) {
  std::string text;
  for (const auto& one : named.command->commands)
    text += tagged(reference({named.full_name + ' ' + one.name, &one}), sentence(one.summary));
  return text;
}

std::string exit_status(const Command& command) {
  std::set<int> used;
  for (const auto& one : all_commands(command))
    used.insert(one.command->exit_codes.begin(), one.command->exit_codes.end());
  std::string text;
  for (const auto& [code, meaning] : kExitCodes)
    if (used.contains(code)) text += tagged(bold(std::to_string(code)), sentence(meaning));
  return text +
         tagged(fmt::format("{} + {}", bold(std::to_string(kExitSignal)), italic("n")), "Ended by signal \\fIn\\fR.");
}

std::string variables(const Command& command) {
  std::string text;
  for (const auto& [name, help] : command.environment) text += tagged(bold(name), sentence(help));
  return text;
}

std::string type_in_words(Value::Type type) {
  switch (type) {
    case Value::Type::flag:
      return "true or false";
    case Value::Type::number:
      return "a number";
    case Value::Type::text:
      return "a text";
    case Value::Type::list:
      break;
  }
  return "a list";
}

// The keys of the configuration file, and which of them a running program takes over.
std::string configuration(const Command& command) {
  if (!command.configuration) return "";
  std::string text = ".PP\nThe file is TOML. It has these keys:\n";
  for (const auto& setting : command.settings) {
    if (setting.key.empty()) continue;
    const auto when = setting.reloadable ? " Taken over when the configuration is read again." : "";
    text += tagged(bold(setting.key) + " = " + italic(type_in_words(setting.value.type)), explained(setting) + when);
  }
  return text;
}

std::string example_lines(const Command& command) {
  std::string text = ".nf\n";
  for (const auto& example : command.examples) text += escaped(example) + '\n';
  return text + ".fi\n";
}

bool is_right_below(const std::string& name, const std::string& above) {
  return name.starts_with(above + ' ') && name.find(' ', above.size() + 1) == std::string::npos;
}

// The command above, those beside, and those below.
std::string see_also(const Command& program, const NamedCommand& command) {
  const auto last = command.full_name.rfind(' ');
  const auto above = last == std::string::npos ? "" : command.full_name.substr(0, last);
  std::string text;
  for (const auto& other : all_commands(program)) {
    const auto& name = other.full_name;
    const bool is_near = name == above || (!above.empty() && is_right_below(name, above));
    if (name == command.full_name || (!is_near && !is_right_below(name, command.full_name))) continue;
    text += (text.empty() ? "" : ",\n") + reference(other);
  }
  return text + '\n';
}

}  // namespace

std::string configuration_page(const Command& program, const std::string& version, const NamedCommand& named) {
  const auto& command = *named.command;
  std::string keys;
  for (const auto& setting : command.settings) {
    if (setting.key.empty()) continue;
    const std::string when = setting.reloadable ? " Taken over when the configuration is read again." : "";
    const auto form = setting.members ? setting.key + ".NAME" : setting.key;
    keys += tagged(bold(form) + " = " + italic(type_in_words(setting.members ? Value::Type::text : setting.value.type)),
                   explained(setting) + when);
    if (!setting.members) continue;
    for (const auto& member : setting.members("NAME"))
      keys +=
          tagged(bold(form + '.' + member.key) + " = " + italic(type_in_words(member.value.type)), explained(member));
  }
  std::string roff =
      fmt::format(".TH {} 5 \"\" \"{}\" \"{} manual\"\n.nh\n.ad l\n", escaped("pake.toml"), version, program.name);
  const auto section = [&](std::string_view title, const std::string& text) {
    fmt::format_to(std::back_inserter(roff), ".SH {}\n{}", title, text);
  };
  section("NAME", escaped("pake.toml - the configuration of " + named.full_name) + '\n');
  section("SYNOPSIS", bold(named.full_name) + " " + bold("--config") + " " + italic("pake.toml") + '\n');
  section("DESCRIPTION",
          paragraphs(
              {"The file is TOML. A key with a point in it may be written in a table: `limits.idle = 3600`, or `idle` "
               "under `[limits]`. What the command line gives wins. `" +
                   named.full_name +
                   " --check-config --config FILE` reads the file, says what is wrong and in which line, and ends.",
               "At SIGHUP the file is read again. What is wrong with it changes nothing, and is logged."}));
  section("KEYS", keys);
  section(
      "EXAMPLES",
      paragraphs({" listen = [\"0.0.0.0:8088\"]\ndata = \"/var/lib/pake\"\n\n[services]\nwiki = \"127.0.0.1:80\"\n\n"
                  "[services.db]\nto = \"unix:/run/postgresql/.s.PGSQL.5432\"\nusers = [\"alice\"]\n\n"
                  "[published]\ndesk = \"bob\""}));
  section("SEE ALSO", reference(named) + '\n');
  return roff;
}

std::string joined_name(std::string full_name, char separator) {
  std::ranges::replace(full_name, ' ', separator);
  return full_name;
}

std::string man_page(const Command& program, const std::string& version, const NamedCommand& named) {
  const auto& command = *named.command;
  const auto name = joined_name(named.full_name, '-');
  std::string roff =
      fmt::format(".TH {} 1 \"\" \"{}\" \"{} manual\"\n.nh\n.ad l\n", escaped(name), version, program.name);
  const auto section = [&](std::string_view title, const std::string& text) {
    if (!text.empty()) fmt::format_to(std::back_inserter(roff), ".SH {}\n{}", title, text);
  };
  section("NAME", escaped(name) + " \\- " + escaped(command.summary) + '\n');
  section("SYNOPSIS", synopsis(named));
  section("DESCRIPTION", paragraphs(command.text));
  section("COMMANDS", command_list(named));
  section("OPTIONS", option_list(named));
  section("CONFIGURATION", configuration(command));
  section("EXIT STATUS", exit_status(command));
  section("ENVIRONMENT", variables(command));
  section("EXAMPLES", example_lines(command));
  section("SEE ALSO", see_also(program, named));
  return roff;
}

}  // namespace pake::cli::manual
