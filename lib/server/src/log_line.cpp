#include "log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace pake::server {
namespace {

// Whether the text stands in a line as it is.
bool is_plain(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\'; });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= ' ' && c < 0x7f) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + '"';
}

std::string text_value(const LogField& field) {
  if (const auto* const number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  const auto text = std::get<std::string_view>(field.value);
  return is_plain(text) ? std::string(text) : quoted(text);
}

nlohmann::ordered_json json_value(const LogField& field) {
  if (const auto* const number = std::get_if<std::int64_t>(&field.value)) return *number;
  return std::get<std::string_view>(field.value);
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  std::unreachable();
}

std::string iso_time(LogTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::string log_line(LogFormat format, LogTime time, LogLevel level, std::string_view event,
                     std::span<const LogField> fields) {
  if (format == LogFormat::json) {
    nlohmann::ordered_json object = {{"time", iso_time(time)}, {"level", to_string(level)}, {"event", event}};
    for (const auto& field : fields) object[std::string(field.key)] = json_value(field);
    // ASCII alone, and bytes that are not UTF-8 replaced: a line of JSON whatever came.
    return object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  }
  auto line = fmt::format("{} {} {}", iso_time(time), to_string(level), event);
  for (const auto& field : fields) line += fmt::format(" {}={}", field.key, text_value(field));
  return line;
}

}  // namespace pake::server
