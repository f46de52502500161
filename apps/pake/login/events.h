// What happens to a command, for a program that reads along: --json.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process/output.h"
#include "process/problem.h"

namespace pake::cli::login {

/// Objects, a line each, on one descriptor; or nothing.
class Events {
 public:
  Events() = default;
  explicit Events(std::optional<int> fd);

  /// {"event": `event`, name: value...}
  void say(std::string_view event, const std::vector<std::pair<std::string, std::string>>& values) const;
  /// {"event": "ended", "exit_code": N}, and "error" and "hint" if there was a problem.
  void say_end(int exit_code, const Problem* problem = nullptr) const;
  [[nodiscard]] bool are_wanted() const noexcept { return output_ != nullptr; }
  /// Whether all could be written; of events on stdout.
  [[nodiscard]] Expected<void> outcome() const;

 private:
  std::shared_ptr<Output> output_;
};

}  // namespace pake::cli::login
