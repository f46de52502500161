// The one file that knows the library which splits command lines.
#include "options/parse.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <limits>

#include "options/spelling.h"
#include "pake/net/address.h"

namespace pake::cli {
namespace {

constexpr int kAnyNumber = std::numeric_limits<int>::max() / 2;

/// One command's part of CLI11's tree.
struct Node {
  CLI::App* app;
  NamedCommand command;
  std::vector<std::pair<CLI::Option*, const Setting*>> options = {};
};

std::unexpected<Problem> usage(std::string error, std::string hint) {
  return std::unexpected(Problem{.exit_code = kExitUsage, .error = std::move(error), .hint = std::move(hint)});
}

void add_setting(Node& node, const Setting& setting) {
  CLI::Option* option = nullptr;
  if (!setting.takes_value()) {
    option = node.app->add_flag(setting.flag);
  } else {
    option = node.app->add_option(setting.flag);
    option->expected(1)->allow_extra_args(false);
    if (!setting.is_word() || setting.value.type == Value::Type::list) option->expected(1, kAnyNumber);
    if (setting.value.name == kSecretName) option->expected(0, 1)->allow_extra_args(true);
    if (setting.is_word() && setting.value.type == Value::Type::list) option->allow_extra_args(true);
  }
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  node.options.emplace_back(option, &setting);
}

void build(std::deque<Node>& nodes, CLI::App& app, const NamedCommand& command) {
  app.set_help_flag("-h,--help");
  app.allow_extras();
  auto& node = nodes.emplace_back(Node{.app = &app, .command = command});
  for (const auto& setting : command.command->settings)
    if (!setting.flag.empty()) add_setting(node, setting);
  for (const auto& below : command.command->commands)
    build(nodes, *app.add_subcommand(below.name), {command.full_name + ' ' + below.name, &below});
}

bool is_port(std::string_view word) {
  return !word.empty() && word.size() <= 5 && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string> options_of(const Command& command) {
  std::vector<std::string> all = {"--help"};
  for (const auto& setting : command.settings)
    if (!setting.is_word() && setting.is_shown())
      for (const auto& spelling : setting.spellings()) all.push_back(spelling);
  return all;
}

std::vector<std::string> names_of(const std::vector<Command>& commands) {
  std::vector<std::string> all;
  for (const auto& one : commands) all.push_back(one.name);
  return all;
}

bool takes_secret(const Command& command) {
  return std::ranges::any_of(command.settings, [](const Setting& one) { return one.value.name == kSecretName; });
}

// `pake sessions --data D` and `pake sessions --data D list`: an option of a command that is missing, or comes later.
std::optional<Problem> ask_for_command(const NamedCommand& named, const std::vector<std::string>& words,
                                       const std::string& option) {
  const auto& commands = named.command->commands;
  const auto has_option = [&](const Command& one) {
    const auto options = options_of(one);
    return std::ranges::find(options, option) != options.end();
  };
  const auto owner = std::ranges::find_if(commands, has_option);
  if (owner == commands.end()) return std::nullopt;
  auto meant = owner->name;
  std::vector<std::string> rest;
  for (const auto& word : words)
    if (std::ranges::find(commands, word, &Command::name) != commands.end())
      meant = word;
    else
      rest.push_back(word);
  return Problem{.error = fmt::format("{} needs a command before its options: {}", named.full_name,
                                      fmt::join(names_of(commands), ", ")),
                 .hint = fmt::format("{} {} {}", named.full_name, meant, fmt::join(rest, " "))};
}

// Words that have no place. The value of an unknown option is among them, behind it.
std::unexpected<Problem> refuse(const NamedCommand& named, const std::vector<std::string>& words) {
  const auto& command = *named.command;
  const auto help = named.full_name + " --help";
  if (!command.commands.empty() && !words.front().starts_with('-')) {  // its options are then another command's
    const auto meant = nearest(words.front(), names_of(command.commands));
    return usage(fmt::format("there is no command '{}'", words.front()),
                 meant.empty() ? help : fmt::format("{} {}", named.full_name, meant));
  }
  const auto option = std::ranges::find_if(words, [](const std::string& word) { return word.starts_with('-'); });
  if (option != words.end() && *option != "--") {
    const auto name = option->substr(0, option->find('='));
    if (const auto problem = ask_for_command(named, words, name)) return usage(problem->error, problem->hint);
    const auto options = options_of(command);
    if (std::ranges::find(options, name) != options.end())
      return usage(fmt::format("{} belongs behind its command", name), fmt::format("{} {} ...", named.full_name, name));
    const auto meant = nearest(name, options);
    return usage(fmt::format("there is no option {}", name),
                 meant.empty() ? help : fmt::format("did you mean {}?", meant));
  }
  if (takes_secret(command))  // it may be one, so it is not repeated
    return usage("there is a word too many; if it is a code or a password, everybody on this machine can read it there",
                 help);
  return usage(fmt::format("'{}' has no place here", words.front()), help);
}

// Words that no setting took. The "--" behind which words are no options is not one of them.
std::vector<std::string> extras_of(const CLI::App& app) {
  auto extras = app.remaining();
  if (const auto mark = std::ranges::find(extras, "--"); mark != extras.end()) extras.erase(mark);
  return extras;
}

// "pake dial HOST PORT" and "pake dial violin harvest 42": what stands behind an address.
std::expected<void, Problem> check_words(const Node& node, const Given& given) {
  const auto& settings = node.command.command->settings;
  std::vector<std::string> typed;
  bool has_address = false;
  for (const auto& setting : settings) {
    if (!setting.is_word()) continue;
    has_address = has_address || setting.flag == "ADDRESS";
    if (const auto texts = given.find(setting.flag); texts != given.end())
      typed.insert(typed.end(), texts->second.begin(), texts->second.end());
  }
  const auto extras = extras_of(*node.app);
  typed.insert(typed.end(), extras.begin(), extras.end());
  if (!has_address || typed.size() < 2) return {};
  if (const auto not_a_code = refuse_code(fmt::format("{}", fmt::join(typed, " "))); !not_a_code)
    return usage(not_a_code.error().error, not_a_code.error().hint);
  if (!refuse_code(fmt::format("{}", fmt::join(typed.begin() + 1, typed.end(), " "))))
    return usage("a code on the command line can be read by everybody on this machine: it is refused",
                 "use --code-file FILE, --code-fd N or the variable PAKE_CODE, or type it when asked");
  if (typed.size() == 2 && is_port(typed[1]))
    return usage("host and port are one word", fmt::format("{} {}:{}", node.command.full_name, typed[0], typed[1]));
  return {};
}

}  // namespace

std::vector<NamedCommand> all_commands(const Command& program) {
  std::vector<NamedCommand> all = {{program.name, &program}};
  for (const auto& below : program.commands)
    for (const auto& [name, command] : all_commands(below)) all.push_back({program.name + ' ' + name, command});
  return all;
}

Expected<Parsed> parse(const Command& program, std::span<const std::string> words) {
  CLI::App app;
  std::deque<Node> nodes;
  build(nodes, app, {program.name, &program});
  auto* const version = app.add_flag("--version");
  Parsed parsed;
  std::string failed;
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes a vector from its end
  } catch (const CLI::CallForHelp&) {
    parsed.wants_help = true;
  } catch (const CLI::ParseError& error) {
    failed = error.what();
  }
  parsed.wants_version = version->count() > 0;
  const Node* last = nullptr;
  for (const auto& node : nodes) {
    if (node.app != &app && node.app->count() == 0 && !node.app->parsed()) continue;
    parsed.path.push_back(node.command);
    last = &node;
  }
  if (parsed.wants_version) return parsed;
  if (parsed.wants_help) {
    if (const auto extras = extras_of(*last->app); !extras.empty()) return refuse(last->command, extras);
    return parsed;
  }
  if (!failed.empty()) {
    if (const auto at = failed.find(": 1 required"); at != std::string::npos)
      failed = failed.substr(0, at) + " takes a value, and there is none";
    failed.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(failed.front())));
    return usage(std::move(failed), last->command.full_name + " --help");
  }
  for (const auto& [option, setting] : last->options) {
    if (option->count() == 0) continue;
    auto texts = option->results();
    std::erase(texts, "{}");  // CLI11's mark of a value that may be left out, and was
    parsed.given[setting->flag] = std::move(texts);
  }
  if (auto words_fit = check_words(*last, parsed.given); !words_fit)
    return std::unexpected(std::move(words_fit.error()));
  for (const auto& node : nodes) {
    const bool is_on_path = node.app == &app || node.app->count() > 0 || node.app->parsed();
    auto extras = is_on_path ? extras_of(*node.app) : std::vector<std::string>();
    if (extras.empty()) continue;
    if (node.app == last->app || node.app == &app) return refuse(last->command, extras);
    extras.push_back(last->command.command->name);  // before which they stand
    return refuse(node.command, extras);
  }
  for (const auto& [option, setting] : last->options)
    if (setting->required && option->count() == 0)
      return usage(fmt::format("{} is missing", setting->flag), last->command.full_name + " --help");
  return parsed;
}

}  // namespace pake::cli
