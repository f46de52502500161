// What happens to a command, for a program that reads along: --json.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process/problem.h"

namespace pake::cli::login {

/// Objects, a line each, on one descriptor; or nothing.
class Events {
 public:
  Events() = default;
  explicit Events(std::optional<int> fd) : fd_(fd) {}

  /// {"event": `event`, name: value...}
  void say(std::string_view event, const std::vector<std::pair<std::string, std::string>>& values) const;
  /// {"event": "ended", "exit_code": N}, and "error" and "hint" if there was a problem.
  void say_end(int exit_code, const Problem* problem = nullptr) const;
  [[nodiscard]] bool are_wanted() const noexcept { return fd_.has_value(); }

 private:
  std::optional<int> fd_;
};

}  // namespace pake::cli::login
