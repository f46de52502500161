#include "login/events.h"

#include <nlohmann/json.hpp>

namespace pake::cli::login {
namespace {

using Json = nlohmann::ordered_json;

void print(Output& output, const Json& event) {
  output.line(event.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Events::Events(std::optional<int> fd) : output_(fd ? std::make_shared<Output>(*fd) : nullptr) {}

Expected<void> Events::outcome() const { return output_ ? output_->outcome() : Expected<void>(); }

void Events::say(std::string_view event, const std::vector<std::pair<std::string, std::string>>& values) const {
  if (!output_) return;
  Json object = {{"event", event}};
  for (const auto& [name, value] : values) object[name] = value;
  print(*output_, object);
}

void Events::say_end(int exit_code, const Problem* problem) const {
  if (!output_) return;
  Json object = {{"event", "ended"}, {"exit_code", exit_code}};
  if (problem != nullptr) object["error"] = problem->error;
  if (problem != nullptr && !problem->hint.empty()) object["hint"] = problem->hint;
  print(*output_, object);
}

}  // namespace pake::cli::login
