#include "login/events.h"

#include <nlohmann/json.hpp>

#include "process/output.h"

namespace pake::cli::login {
namespace {

using Json = nlohmann::ordered_json;

void print(int fd, const Json& event) { Output(fd).line(event.dump(-1, ' ', false, Json::error_handler_t::replace)); }

}  // namespace

void Events::say(std::string_view event, const std::vector<std::pair<std::string, std::string>>& values) const {
  if (!fd_) return;
  Json object = {{"event", event}};
  for (const auto& [name, value] : values) object[name] = value;
  print(*fd_, object);
}

void Events::say_end(int exit_code, const Problem* problem) const {
  if (!fd_) return;
  Json object = {{"event", "ended"}, {"exit_code", exit_code}};
  if (problem != nullptr) object["error"] = problem->error;
  if (problem != nullptr && !problem->hint.empty()) object["hint"] = problem->hint;
  print(*fd_, object);
}

}  // namespace pake::cli::login
