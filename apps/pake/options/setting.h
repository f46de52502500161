// One table for all that a person may set: it feeds the command line, the configuration file and its check, --help, the
// manual pages and the shells' completions.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "options/value.h"

namespace pake::cli {

struct Setting {
  std::string flag =
      {};                // "--deadline", "-L,--local"; without a hyphen the name of a word that stands alone: "ADDRESS"
  std::string key = {};  // in a configuration file, "limits.deadline"; empty: on the command line alone
  Value value = {};      // type, bounds, and the variable with its default
  std::string help = {};  // a sentence without its full stop
  bool required = false;
  bool reloadable = false;  // a running program takes a new value over when it reads its configuration again
  bool hidden = false;      // works, and stands in no help: what is refused, and older spellings
  // Of a list whose members have settings of their own, as in [services.web]: those of the member that is named.
  std::function<std::vector<Setting>(const std::string& member)> members = {};

  [[nodiscard]] bool is_word() const { return !flag.empty() && flag.front() != '-'; }
  /// Whether help, manual pages and completions of the command line show it: not what a configuration file alone has.
  [[nodiscard]] bool is_shown() const { return !hidden && !flag.empty(); }
  [[nodiscard]] bool takes_value() const { return value.type != Value::Type::flag; }
  /// "-L" and "--local".
  [[nodiscard]] std::vector<std::string> spellings() const;
};

using Settings = std::vector<Setting>;

/// What the value of a setting is called that stands for a secret in the command line, and refuses it.
inline constexpr const char* kSecretName = "SECRET";

/// What a command line gives: texts by Setting::flag, in their order.
using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Sets what `given` has. The first complaint ends it.
[[nodiscard]] Accepted set_given(const Settings& settings, const Given& given);

/// What differs between two tables of one command, made over two sets of variables.
struct Changes {
  std::vector<std::string> taken_over;      // keys or flags of settings that may change while the program runs
  std::vector<std::string> wait_for_start;  // and of those that may not
};
[[nodiscard]] Changes changes_between(const Settings& before, const Settings& after);

}  // namespace pake::cli
