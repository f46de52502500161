#include "options/configuration.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>

#include "options/spelling.h"
#include "pake/internal/try.h"

namespace pake::cli {
namespace {

class Reader {
 public:
  Reader(const std::string& path, const Given& given) : path_(path), given_(given) {}

  Expected<void> table(const toml::table& table, const std::string& above, const Settings& settings) const {
    for (const auto& [name, node] : table) {
      const auto key = above.empty() ? std::string(name.str()) : fmt::format("{}.{}", above, name.str());
      const auto* const setting = find(settings, key);
      if (setting != nullptr) {
        if (!given_.contains(setting->flag) || setting->flag.empty()) PAKE_TRYV(take(*setting, key, node));
      } else if (node.is_table() && holds(settings, key)) {
        PAKE_TRYV(this->table(*node.as_table(), key, settings));
      } else {
        return unknown(settings, key, node);
      }
    }
    return {};
  }

 private:
  static const Setting* find(const Settings& settings, const std::string& key) {
    for (const auto& setting : settings)
      if (setting.key == key) return &setting;
    return nullptr;
  }

  // Whether a setting's key goes on behind `key`.
  static bool holds(const Settings& settings, const std::string& key) {
    for (const auto& setting : settings)
      if (setting.key.starts_with(key + '.')) return true;
    return false;
  }

  std::unexpected<Problem> complain(const toml::node& node, const std::string& error, std::string hint = {}) const {
    return std::unexpected(Problem{.exit_code = kExitUsage,
                                   .error = fmt::format("{}, line {}: {}", path_, node.source().begin.line, error),
                                   .hint = std::move(hint)});
  }

  std::unexpected<Problem> unknown(const Settings& settings, const std::string& key, const toml::node& node) const {
    std::vector<std::string> keys;
    for (const auto& setting : settings)
      if (!setting.key.empty()) keys.push_back(setting.key);
    const auto meant = nearest(key, keys);
    return complain(node, fmt::format("there is no setting '{}'", key),
                    meant.empty() ? "" : fmt::format("did you mean {}?", meant));
  }

  Expected<void> take(const Setting& setting, const std::string& key, const toml::node& node) const {
    if (setting.value.type == Value::Type::list) return take_list(setting, key, node);
    const auto text = text_of(setting.value.type, node);
    if (!text) return complain(node, fmt::format("{} is {}", key, in_words(setting.value.type)));
    return set(setting, key, node, *text);
  }

  Expected<void> take_list(const Setting& setting, const std::string& key, const toml::node& node) const {
    if (setting.value.clear) setting.value.clear();
    if (const auto* const array = node.as_array()) {
      for (const auto& one : *array) {
        const auto text = text_of(Value::Type::text, one);
        if (!text) return complain(one, fmt::format("{} is a list of texts", key));
        PAKE_TRYV(set(setting, key, one, *text));
      }
      return {};
    }
    if (const auto text = text_of(Value::Type::text, node)) return set(setting, key, node, *text);
    if (const auto* const members = node.as_table()) {
      for (const auto& [name, member] : *members) PAKE_TRYV(take_member(setting, key, std::string(name.str()), member));
      return {};
    }
    return complain(node, fmt::format("{} is a list of texts", key));
  }

  // NAME = "text" is what NAME=text is on the command line; a table has settings of the member's own.
  Expected<void> take_member(const Setting& setting, const std::string& key, const std::string& name,
                             const toml::node& node) const {
    const auto whole = fmt::format("{}.{}", key, name);
    if (const auto* const own = node.as_table(); own != nullptr && setting.members)
      return Reader(path_, {}).table(*own, "", setting.members(name));
    const auto text = text_of(Value::Type::text, node);
    if (!text) return complain(node, fmt::format("{} is {}", whole, in_words(Value::Type::text)));
    return set(setting, whole, node, fmt::format("{}={}", name, *text));
  }

  Expected<void> set(const Setting& setting, const std::string& key, const toml::node& node,
                     const std::string& text) const {
    auto accepted = setting.value.set(text);
    if (accepted) return {};
    return complain(node, fmt::format("{}: {}", key, accepted.error().error), accepted.error().hint);
  }

  static std::optional<std::string> text_of(Value::Type type, const toml::node& node) {
    if (type == Value::Type::flag) {
      const auto value = node.value_exact<bool>();
      if (!value) return std::nullopt;
      return *value ? "true" : "false";
    }
    if (type == Value::Type::number) {
      const auto value = node.value_exact<std::int64_t>();
      if (!value) return std::nullopt;
      return std::to_string(*value);
    }
    return node.value_exact<std::string>();
  }

  static std::string_view in_words(Value::Type type) {
    switch (type) {
      case Value::Type::flag:
        return "true or false";
      case Value::Type::number:
        return "a whole number, without quotes";
      case Value::Type::text:
      case Value::Type::list:
        break;
    }
    return "a text, in quotes";
  }

  std::string path_;
  Given given_;
};

}  // namespace

Expected<void> read_configuration(const std::string& path, const Settings& settings, const Given& given) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  std::string text;
  if (file) {
    std::array<char, 4096> chunk{};
    while (const auto count = std::fread(chunk.data(), 1, chunk.size(), file.get())) text.append(chunk.data(), count);
  }
  if (!file || std::ferror(file.get()) != 0)
    return std::unexpected(
        Problem{.exit_code = kExitUsage,
                .error = fmt::format("cannot read the configuration {}: {}", path, explain_errno(errno))});
  try {
    return Reader(path, given).table(toml::parse(text, path), "", settings);
  } catch (const toml::parse_error& error) {
    return std::unexpected(Problem{.exit_code = kExitUsage,
                                   .error = fmt::format("{}, line {}: this is not TOML: {}", path,
                                                        error.source().begin.line, error.description())});
  }
}

void add_configuration(Command& command) {
  command.configuration = std::make_shared<Configuration>();
  command.settings.push_back({.flag = "--config",
                              .value = file(command.configuration->file),
                              .help = "Read settings from this TOML file; the command line wins"});
  command.settings.push_back({.flag = "--check-config",
                              .value = flag(command.configuration->check_only),
                              .help = "Say whether the configuration is right, and do nothing else"});
}

Expected<void> apply_settings(const Settings& settings, const Invocation& invocation) {
  if (auto accepted = set_given(settings, invocation.given); !accepted)
    return std::unexpected(Problem{
        .exit_code = kExitUsage, .error = std::move(accepted.error().error), .hint = std::move(accepted.error().hint)});
  if (invocation.configuration) return read_configuration(*invocation.configuration, settings, invocation.given);
  return {};
}

}  // namespace pake::cli
