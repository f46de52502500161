#include "manual/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "manual/man_page.h"

namespace pake::cli::manual {
namespace {

using Completes = Value::Completes;

constexpr std::string_view kOrigin =
    "# Completion of pake's command line, made from its tables of settings at build.\n";

/// What a shell needs of one option, --help and --version among them.
struct Option {
  std::vector<std::string> spellings;
  std::string help;
  std::string value_name;  // empty: it takes none
  Completes completes = Completes::nothing;
  std::vector<std::string> choices = {};
};

std::vector<Option> options(const NamedCommand& named) {
  std::vector<Option> all;
  for (const auto& setting : named.command->settings)
    if (!setting.is_word() && setting.is_shown())
      all.push_back({.spellings = setting.spellings(),
                     .help = setting.help,
                     .value_name = setting.value.name,
                     .completes = setting.value.completes,
                     .choices = setting.value.choices});
  all.push_back({.spellings = {"-h", "--help"}, .help = "Print this help and end", .value_name = ""});
  if (named.full_name == named.command->name)
    all.push_back({.spellings = {"--version"}, .help = "Print the version and end", .value_name = ""});
  return all;
}

std::vector<const Setting*> words(const Command& command) {
  std::vector<const Setting*> all;
  for (const auto& setting : command.settings)
    if (setting.is_word() && setting.is_shown()) all.push_back(&setting);
  return all;
}

std::string full_names(const Command& program) {
  std::vector<std::string> names;
  for (const auto& one : all_commands(program))
    if (one.command != &program) names.push_back('"' + one.full_name + '"');
  return fmt::format("{}", fmt::join(names, "|"));
}

std::string subcommand_names(const Command& command, std::string_view separator) {
  std::vector<std::string> names;
  for (const auto& one : command.commands) names.push_back(one.name);
  return fmt::format("{}", fmt::join(names, separator));
}

// "pake dial --trace" of every option with a value that completes so: what a `case` of bash matches.
std::string bash_pattern(const Command& program, Completes completes) {
  std::vector<std::string> names;
  for (const auto& one : all_commands(program))
    for (const auto& option : options(one))
      for (const auto& spelling : option.spellings)
        if (!option.value_name.empty() && option.completes == completes)
          names.push_back('"' + one.full_name + ' ' + spelling + '"');
  return names.empty() ? "\"\"" : fmt::format("{}", fmt::join(names, "|"));
}

std::string bash_choices(const Command& program) {
  std::string cases;
  for (const auto& one : all_commands(program))
    for (const auto& option : options(one))
      for (const auto& spelling : option.spellings)
        if (option.completes == Completes::choices)
          fmt::format_to(std::back_inserter(cases),
                         "    \"{} {}\") COMPREPLY=($(compgen -W \"{}\" -- \"$current\")); return ;;\n", one.full_name,
                         spelling, fmt::join(option.choices, " "));
  return cases;
}

// What stands for the command's words: subcommands, and an action of compgen's.
std::string bash_words(const NamedCommand& named) {
  std::vector<std::string> spellings;
  for (const auto& option : options(named))
    spellings.insert(spellings.end(), option.spellings.begin(), option.spellings.end());
  std::string action;
  std::string asked;
  for (const auto* word : words(*named.command)) {
    if (word->value.completes == Completes::logins) asked += " --names";
    if (word->value.completes == Completes::services) asked += " --services";
    if (word->value.completes == Completes::hosts) action = "hostname";
    if (word->value.completes == Completes::files) action = "file";
  }
  return fmt::format("    \"{}\") words=\"{}\" options=\"{}\" action={} asked=\"{}\" ;;\n", named.full_name,
                     subcommand_names(*named.command, " "), fmt::join(spellings, " "), action, asked);
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

std::string zsh_action(Completes completes, const std::vector<std::string>& choices) {
  switch (completes) {
    case Completes::files:
      return "_files";
    case Completes::directories:
      return "_directories";
    case Completes::hosts:
      return "_hosts";
    case Completes::logins:
      return " _pake_asked --names";
    case Completes::services:
      return " _pake_asked --services";
    case Completes::choices:
      return fmt::format("({})", fmt::join(choices, " "));
    case Completes::nothing:
      break;
  }
  return " ";
}

std::string zsh_option(const Option& option, const std::string& name) {
  const auto other = fmt::format("({})", fmt::join(option.spellings, " "));
  const auto text = zsh_text(option.help);
  if (option.value_name.empty()) return fmt::format("    '{}{}[{}]'", other, name, text);
  const auto* const equals = name.starts_with("--") ? "=" : "";
  return fmt::format("    '{}{}{}[{}]:{}:{}'", other, name, equals, text, zsh_text(option.value_name),
                     zsh_action(option.completes, option.choices));
}

std::string zsh_function(const NamedCommand& named) {
  const auto& command = *named.command;
  const auto name = "_" + joined_name(named.full_name, '_');
  std::vector<std::string> arguments = {"  _arguments"};
  for (const auto& one : options(named))
    for (const auto& spelling : one.spellings) arguments.push_back(zsh_option(one, spelling));
  for (const auto* one : words(command))
    arguments.push_back(fmt::format("    '{}:{}:{}'", one->value.type == Value::Type::list ? "*" : ":", one->flag,
                                    zsh_action(one->value.completes, one->value.choices)));
  if (command.commands.empty()) return fmt::format("{}() {{\n{}\n}}\n\n", name, fmt::join(arguments, " \\\n"));

  arguments.front() += " -C";
  arguments.insert(arguments.end(), {"    '1: :->command'", "    '*:: :->arguments'"});
  std::vector<std::string> described;
  std::ranges::transform(command.commands, std::back_inserter(described),
                         [](const Command& one) { return fmt::format("'{}:{}'", one.name, zsh_text(one.summary)); });
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

std::string fish_arguments(Completes completes, const std::vector<std::string>& choices) {
  switch (completes) {
    case Completes::files:
      return " -r -F";
    case Completes::directories:
      return " -x -a '(__fish_complete_directories)'";
    case Completes::hosts:
      return " -x -a '(__fish_print_hostnames)'";
    case Completes::logins:
      return " -x -a '(command -q pake; and pake hosts list --names 2>/dev/null)'";
    case Completes::services:
      return " -x -a '(command -q pake; and pake hosts list --services 2>/dev/null)'";
    case Completes::choices:
      return fmt::format(" -x -a '{}'", fmt::join(choices, " "));
    case Completes::nothing:
      break;
  }
  return " -x";
}

std::string fish_option(const NamedCommand& named, const Option& option) {
  std::string line = fmt::format("complete -c pake -n '__pake_is {}'", named.full_name);
  for (const auto& name : option.spellings)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.value_name.empty()) line += fish_arguments(option.completes, option.choices);
  return line + " -d " + fish_text(option.help) + '\n';
}

std::string fish_word(const NamedCommand& named, const Setting& word) {
  if (word.value.completes == Completes::nothing) return "";
  return fmt::format("complete -c pake -n '__pake_is {}'{}\n", named.full_name,
                     fish_arguments(word.value.completes, word.value.choices));
}

}  // namespace

std::string bash_completion(const Command& program) {
  std::string cases;
  for (const auto& one : all_commands(program)) cases += bash_words(one);
  return fmt::format(
      "{0}"
      "_pake() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} command=pake word words options action asked\n"
      "  local line=${{COMP_LINE:0:COMP_POINT}}\n"
      "  local typed=${{line##*[[:space:]]}}\n"
      "  [[ $typed == *\"$current\" ]] || typed=$current\n"
      "  COMPREPLY=()\n"
      "  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
      "    case \"$command $word\" in {1}) command+=\" $word\" ;; esac\n"
      "  done\n"
      "  case \"$command ${{COMP_WORDS[COMP_CWORD-1]}}\" in\n"
      "{2}"
      "    {3}) compopt -o default; return ;;\n"
      "    {4}) compopt -o dirnames; return ;;\n"
      "    {5}) return ;;\n"
      "  esac\n"
      "  case $command in\n"
      "{6}"
      "  esac\n"
      "  [[ $current == -* ]] && words=$options action= asked=\n"
      "  [[ $action == file ]] && {{ compopt -o default; return; }}\n"
      "  [[ -n $asked ]] && words+=\" $(pake hosts list $asked 2>/dev/null)\"\n"
      "  COMPREPLY=($(compgen ${{action:+-A $action}} -W \"$words\" -- \"$typed\"))\n"
      "  COMPREPLY=(\"${{COMPREPLY[@]#\"${{typed%\"$current\"}}\"}}\")\n"  // bash takes @ and : for the ends of words
      "}}\n"
      "complete -F _pake pake\n",
      kOrigin, full_names(program), bash_choices(program), bash_pattern(program, Completes::files),
      bash_pattern(program, Completes::directories), bash_pattern(program, Completes::nothing), cases);
}

std::string zsh_completion(const Command& program) {
  std::string script = "#compdef pake\n" + std::string(kOrigin) +
                       "\n"
                       "_pake_asked() {\n"
                       "  local -a names=(${(f)\"$(pake hosts list $1 2>/dev/null)\"})\n"
                       "  (( $#names )) && compadd -- $names\n"
                       "}\n\n";
  for (const auto& one : all_commands(program)) script += zsh_function(one);
  return script + "_pake \"$@\"\n";
}

std::string fish_completion(const Command& program) {
  auto names = full_names(program);
  std::ranges::replace(names, '|', ' ');
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
      kOrigin, names);
  for (const auto& one : all_commands(program)) {
    for (const auto& below : one.command->commands)
      fmt::format_to(std::back_inserter(script), "complete -c pake -n '__pake_is {}' -a {} -d {}\n", one.full_name,
                     below.name, fish_text(below.summary));
    for (const auto& option : options(one)) script += fish_option(one, option);
    for (const auto* word : words(*one.command)) script += fish_word(one, *word);
  }
  return script;
}

}  // namespace pake::cli::manual
