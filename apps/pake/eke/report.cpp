#include "eke/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "pake/base/bytes.h"
#include "terminal/escape.h"

namespace pake::cli::eke {
namespace {

std::string_view name_of(pake::eke::Value value) {
  using enum pake::eke::Value;
  switch (value) {
    case user:
      return "user";
    case pk:
      return "pk";
    case Ks:
      return "Ks";
    case NC:
      return "NC";
    case N1_2:
      return "N1_2";
  }
  return "";
}

std::string hex(std::string_view text) {
  std::string digits;
  for (const auto byte : as_bytes(text)) digits += fmt::format("{:02x}", byte);
  return digits;
}

// {"event": ..., "conn": ..., fields}; a field that is no UTF-8 is given as NAME_hex. All of it is ASCII.
std::string to_json(const Event& event, std::optional<std::uint64_t> connection) {
  nlohmann::ordered_json object;
  object["event"] = event.name;
  if (connection) object["conn"] = *connection;
  for (const auto& [name, value] : event.fields) {
    if (is_utf8(value))
      object[name] = value;
    else
      object[name + "_hex"] = hex(value);
  }
  constexpr bool kAsciiOnly = true;
  return object.dump(-1, ' ', kAsciiOnly);
}

}  // namespace

void Report::tell(const Event& event) {
  if (style_.json)
    output_.line(to_json(event, connection_));
  else if (!event.line.empty())
    output_.line(event.line);
}

void Report::detail(const Event& event) {
  if (style_.details) tell(event);
}

void Report::learnt(pake::eke::Value value, std::string_view text) {
  const auto name = name_of(value);
  const bool is_user = value == pake::eke::Value::user;
  if (is_user) user_ = text;
  // A PEM has been checked, and keeps its lines.
  const auto shown = value == pake::eke::Value::pk ? std::string(text) : escape(text);
  detail({.name = name,
          .line = is_user ? fmt::format("user is {}", shown) : fmt::format("{}: {}", name, shown),
          .fields = {{std::string(name), std::string(text)}}});
}

}  // namespace pake::cli::eke
