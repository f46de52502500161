// What --help prints.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "options/command.h"

namespace pake::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kIndent = 28;  // of what explains

// `text` in lines of at most kWidth, broken at spaces, each behind `indent` spaces; the first one is begun already.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool begins = column == indent;
    if (!begins && column + 1 + word.size() > kWidth) {
      lines += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!begins) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
  }
  return lines + '\n';
}

std::string row(std::string_view tag, std::string_view text) {
  const auto left = fmt::format("  {}", tag);
  if (left.size() + 2 > kIndent) return left + '\n' + std::string(kIndent, ' ') + wrapped(text, kIndent);
  return left + std::string(kIndent - left.size(), ' ') + wrapped(text, kIndent);
}

std::string explained(const Setting& setting) {
  auto text = setting.help;
  const auto preset = setting.value.show && setting.takes_value() ? setting.value.show() : "";
  if (!preset.empty()) text += fmt::format(" (default: {})", preset);
  return text;
}

std::string usage_line(const NamedCommand& command) {
  std::string line = "Usage: " + command.full_name + " [OPTIONS]";
  for (const auto& setting : command.command->settings) {
    if (!setting.is_word() || !setting.is_shown()) continue;
    const auto more = setting.value.type == Value::Type::list ? "..." : "";
    line += setting.required ? fmt::format(" {}{}", setting.flag, more) : fmt::format(" [{}]{}", setting.flag, more);
  }
  if (!command.command->commands.empty()) line += " COMMAND";
  return line + '\n';
}

template <class Rows>
void section(std::string& text, std::string_view title, const Rows& rows) {
  if (!rows.empty()) fmt::format_to(std::back_inserter(text), "\n{}:\n{}", title, rows);
}

}  // namespace

std::string help_of(const NamedCommand& named) {
  const auto& command = *named.command;
  std::string text = wrapped(command.summary, 0) + usage_line(named);
  std::string words;
  std::string options;
  std::string commands;
  for (const auto& setting : command.settings) {
    if (!setting.is_shown()) continue;
    auto tag = fmt::format("{}", fmt::join(setting.spellings(), ","));
    if (!setting.is_word() && setting.takes_value()) tag += " " + setting.value.name;
    (setting.is_word() ? words : options) += row(tag, explained(setting));
  }
  options += row("-h,--help", "Print this help and end");
  if (named.full_name == command.name) options += row("--version", "Print the version and end");
  for (const auto& below : command.commands) commands += row(below.name, below.summary);
  section(text, "Arguments", words);
  section(text, "Options", options);
  section(text, "Subcommands", commands);
  if (!command.brief.empty()) text += '\n' + wrapped(command.brief, 0);
  std::string examples;
  for (const auto& example : command.examples) examples += "  " + example + '\n';
  section(text, command.examples.size() == 1 ? "Example" : "Examples", examples);
  return text;
}

}  // namespace pake::cli
