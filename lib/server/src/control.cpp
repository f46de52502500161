#include "pake/server/control.h"

#include <nlohmann/json.hpp>

#include "log_line.h"

namespace pake::server {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& object) {
  return object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string error(std::string_view what) { return line_of({{"error", what}}); }

Json to_json(const SessionRow& row) {
  return {{"session", row.facts.id},
          {"user", row.facts.user},
          {"by", to_string(row.facts.by)},
          {"source", row.facts.source},
          {"since", iso_time(row.facts.since)},
          {"streams", row.open_streams},
          {"bytes_in", row.bytes_in},
          {"bytes_out", row.bytes_out}};
}

}  // namespace

std::string answer_control(Sessions& sessions, std::string_view line) {
  const auto request = Json::parse(line, nullptr, false);
  if (!request.is_object() || !request.contains("do") || !request["do"].is_string()) return error("not a request");
  if (request["do"] == "list") {
    std::string lines;
    const auto rows = sessions.list();
    for (const auto& row : rows) lines += line_of(to_json(row));
    return lines + line_of({{"listed", rows.size()}});  // without it the answer has been cut
  }
  if (request["do"] != "kill") return error("no such request");
  if (request.contains("session") && request["session"].is_number_unsigned())
    return line_of({{"ended", sessions.end(request["session"].get<SessionId>(), EndCause::killed)}});
  if (request.contains("user") && request["user"].is_string())
    return line_of({{"ended", sessions.end_user(request["user"].get<std::string>(), EndCause::killed)}});
  return error("kill whom?");
}

}  // namespace pake::server
