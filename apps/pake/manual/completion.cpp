#include "manual/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "manual/tree.h"
#include "options/command_line.h"

namespace pake::cli::manual {
namespace {

constexpr std::string_view kOrigin = "# Completion of pake's command line, made from its tree of options at build.\n";

std::vector<std::string> all_subcommands(const CLI::App& app) {
  std::vector<std::string> names;
  visit(app, [&](const CLI::App& one) {
    if (&one != &app) names.push_back('"' + full_name(one) + '"');
  });
  return names;
}

// "pake dial --trace", of every option of every command that takes a value: a file, or something else.
std::vector<std::string> options_with_value(const CLI::App& app, bool is_file) {
  std::vector<std::string> names;
  visit(app, [&](const CLI::App& one) {
    for (const auto* option : options(one))
      for (const auto& name : spellings(*option))
        if (takes_value(*option) && takes_file(*option) == is_file)
          names.push_back('"' + full_name(one) + ' ' + name + '"');
  });
  return names;
}

std::string subcommand_names(const CLI::App& command, std::string_view separator) {
  std::vector<std::string> names;
  for (const auto* one : subcommands(command)) names.push_back(one->get_name());
  return fmt::format("{}", fmt::join(names, separator));
}

std::string option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* one : options(command))
    for (const auto& name : spellings(*one)) names.push_back(name);
  return fmt::format("{}", fmt::join(names, " "));
}

std::string zsh_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\'')
      result += "'\\''";
    else if (std::string_view("[]:\\").contains(c))
      result += {'\\', c};
    else
      result += c;
  }
  return result;
}

std::string zsh_option(const CLI::Option& option, const std::string& name) {
  const auto other = fmt::format("({})", fmt::join(spellings(option), " "));
  const auto text = zsh_text(option.get_description());
  if (!takes_value(option)) return fmt::format("    '{}{}[{}]'", other, name, text);
  const auto* const completed = takes_file(option) ? "_files" : " ";
  const auto* const equals = name.starts_with("--") ? "=" : "";
  return fmt::format("    '{}{}{}[{}]:{}:{}'", other, name, equals, text, option.get_type_name(), completed);
}

std::string zsh_function(const CLI::App& command) {
  const auto name = "_" + joined_name(command, '_');
  std::vector<std::string> arguments = {"  _arguments"};
  for (const auto* one : options(command))
    for (const auto& spelling : spellings(*one)) arguments.push_back(zsh_option(*one, spelling));
  for (const auto* one : positionals(command)) arguments.push_back(fmt::format("    '::{}: '", one->get_name(true)));
  const auto below = subcommands(command);
  if (below.empty()) return fmt::format("{}() {{\n{}\n}}\n\n", name, fmt::join(arguments, " \\\n"));

  arguments.front() += " -C";
  arguments.insert(arguments.end(), {"    '1: :->command'", "    '*:: :->arguments'"});
  std::vector<std::string> described;
  std::ranges::transform(below, std::back_inserter(described), [](const CLI::App* one) {
    return fmt::format("'{}:{}'", one->get_name(), zsh_text(one->get_description()));
  });
  return fmt::format(
      "{0}() {{\n"
      "  local curcontext=$curcontext line state\n"
      "  local -a commands=({1})\n"
      "{2}\n"
      "  case $state in\n"
      "    command) _describe command commands ;;\n"
      "    arguments) case $line[1] in {3}) {0}_$line[1] ;; esac ;;\n"
      "  esac\n"
      "}}\n\n",
      name, fmt::join(described, " "), fmt::join(arguments, " \\\n"), subcommand_names(command, "|"));
}

std::string fish_text(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

std::string fish_option(const CLI::App& command, const CLI::Option& option) {
  std::string line = fmt::format("complete -c pake -n '__pake_is {}'", full_name(command));
  for (const auto& name : option.get_snames()) line += " -s " + name;
  for (const auto& name : option.get_lnames()) line += " -l " + name;
  if (takes_value(option)) line += takes_file(option) ? " -r -F" : " -x";
  return line + " -d " + fish_text(option.get_description()) + '\n';
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  visit(app, [&](const CLI::App& one) {
    fmt::format_to(std::back_inserter(cases), "    \"{}\") words=\"{}\" options=\"{}\" ;;\n", full_name(one),
                   subcommand_names(one, " "), option_names(one));
  });
  return fmt::format(
      "{0}"
      "_pake() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} command=pake word words options\n"
      "  COMPREPLY=()\n"
      "  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
      "    case \"$command $word\" in {1}) command+=\" $word\" ;; esac\n"
      "  done\n"
      "  case \"$command ${{COMP_WORDS[COMP_CWORD-1]}}\" in\n"
      "    {2}) compopt -o default; return ;;\n"
      "    {3}) return ;;\n"
      "  esac\n"
      "  case $command in\n"
      "{4}"
      "  esac\n"
      "  [[ $current == -* ]] && words=$options\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}}\n"
      "complete -F _pake pake\n",
      kOrigin, fmt::join(all_subcommands(app), "|"), fmt::join(options_with_value(app, true), "|"),
      fmt::join(options_with_value(app, false), "|"), cases);
}

std::string zsh_completion(const CLI::App& app) {
  std::string script = "#compdef pake\n" + std::string(kOrigin) + "\n";
  visit(app, [&](const CLI::App& one) { script += zsh_function(one); });
  return script + "_pake \"$@\"\n";
}

std::string fish_completion(const CLI::App& app) {
  std::string script = fmt::format(
      "{}"
      "function __pake_is\n"
      "    set -l command pake\n"
      "    for word in (commandline -opc)[2..]\n"
      "        contains -- \"$command $word\" {}; and set command \"$command $word\"\n"
      "    end\n"
      "    test \"$command\" = \"$argv\"\n"
      "end\n"
      "complete -c pake -f\n",
      kOrigin, fmt::join(all_subcommands(app), " "));
  visit(app, [&](const CLI::App& one) {
    for (const auto* below : subcommands(one))
      fmt::format_to(std::back_inserter(script), "complete -c pake -n '__pake_is {}' -a {} -d {}\n", full_name(one),
                     below->get_name(), fish_text(below->get_description()));
    for (const auto* option : options(one)) script += fish_option(one, *option);
  });
  return script;
}

}  // namespace pake::cli::manual
