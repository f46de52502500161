#include "trace/frame.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "pake/internal/try.h"

namespace pake::cli::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<Kind, std::string_view>, 4> kKinds = {
    {{Kind::open, "public"}, {Kind::password, "password"}, {Kind::session, "session"}, {Kind::clear, "clear"}}};
constexpr std::array<std::pair<Role, std::string_view>, 2> kRoles = {
    {{Role::client, "client"}, {Role::server, "server"}}};
constexpr std::array<std::pair<Passed, std::string_view>, 2> kWays = {
    {{Passed::sent, "sent"}, {Passed::received, "received"}}};

template <class T, std::size_t N>
std::string_view word_of(const std::array<std::pair<T, std::string_view>, N>& words, T value) {
  for (const auto& [meaning, word] : words)
    if (meaning == value) return word;
  return "";
}

template <class T, std::size_t N>
std::optional<T> meaning_of(const std::array<std::pair<T, std::string_view>, N>& words, std::string_view text) {
  for (const auto& [meaning, word] : words)
    if (word == text) return meaning;
  return std::nullopt;
}

template <class T>
using Parsed = std::expected<T, std::string>;

std::unexpected<std::string> complain(std::string what) { return std::unexpected(std::move(what)); }

Parsed<std::uint64_t> number_of(const Json& object, const char* key, std::uint64_t most) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned() || found->get<std::uint64_t>() > most)
    return complain(fmt::format("`{}` is not a number, or too large", key));
  return found->get<std::uint64_t>();
}

Parsed<std::string> text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return complain(fmt::format("`{}` is not a text", key));
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > kMaxName) return complain(fmt::format("`{}` is too long", key));
  return text;
}

template <class T, std::size_t N>
Parsed<T> choice_of(const Json& object, const char* key, const std::array<std::pair<T, std::string_view>, N>& words) {
  PAKE_TRY(const auto text, text_of(object, key));
  const auto meaning = meaning_of(words, text);
  if (!meaning) return complain(fmt::format("`{}` is not known", key));
  return *meaning;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Parsed<Buffer> bytes_of(const Json& object) {
  const auto found = object.find("bytes");
  if (found == object.end() || !found->is_string()) return complain("`bytes` is not a text");
  const auto& digits = found->get_ref<const std::string&>();
  if (digits.size() % 2 != 0) return complain("`bytes` is not in hex");
  Buffer bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit_of(digits[2 * i]);
    const int low = digit_of(digits[2 * i + 1]);
    if (high < 0 || low < 0) return complain("`bytes` is not in hex");
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return bytes;
}

Parsed<Field> field_of(const Json& object, std::size_t frame_size) {
  if (!object.is_object()) return complain("a field is not an object");
  PAKE_TRY(auto name, text_of(object, "name"));
  PAKE_TRY(const auto at, number_of(object, "at", frame_size));
  PAKE_TRY(const auto size, number_of(object, "size", frame_size - at));
  PAKE_TRY(const auto kind, choice_of(object, "kind", kKinds));
  return Field{.name = std::move(name), .at = at, .size = size, .kind = kind};
}

Parsed<std::vector<Field>> fields_of(const Json& object, std::size_t frame_size) {
  std::vector<Field> fields;
  const auto found = object.find("fields");
  if (found == object.end()) return fields;
  if (!found->is_array() || found->size() > kMaxFields) return complain("`fields` is not a list, or too long");
  for (const auto& each : *found) {
    PAKE_TRY(auto field, field_of(each, frame_size));
    fields.push_back(std::move(field));
  }
  return fields;
}

Parsed<Line> frame_of(const Json& object) {
  Frame frame;
  PAKE_TRY(frame.us, number_of(object, "us", std::numeric_limits<std::uint64_t>::max()));
  if (object.contains("protocol")) {
    PAKE_TRY(frame.protocol, text_of(object, "protocol"));
  }
  if (object.contains("role")) {
    PAKE_TRY(frame.role, choice_of(object, "role", kRoles));
  }
  if (object.contains("conn")) {
    PAKE_TRY(frame.connection, number_of(object, "conn", kMaxConnections));
  }
  PAKE_TRY(frame.passed, choice_of(object, "passed", kWays));
  PAKE_TRY(frame.name, text_of(object, "frame"));
  PAKE_TRY(frame.bytes, bytes_of(object));
  PAKE_TRY(const auto size, number_of(object, "size", kMaxLine));
  if (size != frame.bytes.size()) return complain("`size` is not the number of bytes");
  PAKE_TRY(frame.fields, fields_of(object, frame.bytes.size()));
  return frame;
}

Json to_json(const Frame& frame) {
  Json object;
  object["us"] = frame.us;
  if (!frame.protocol.empty()) object["protocol"] = frame.protocol;
  if (frame.role) object["role"] = name_of(*frame.role);
  if (frame.connection != 0) object["conn"] = frame.connection;
  object["passed"] = word_of(kWays, frame.passed);
  object["frame"] = frame.name;
  object["size"] = frame.bytes.size();
  object["bytes"] = fmt::format("{:02x}", fmt::join(frame.bytes, ""));
  if (frame.fields.empty()) return object;
  auto& fields = object["fields"] = Json::array();
  for (const auto& field : frame.fields)
    fields.push_back({{"name", field.name}, {"at", field.at}, {"size", field.size}, {"kind", name_of(field.kind)}});
  return object;
}

Json to_json(const LeftOut& left_out) { return {{"us", left_out.us}, {"left_out", left_out.frames}}; }

}  // namespace

std::string_view name_of(Kind kind) noexcept { return word_of(kKinds, kind); }
std::string_view name_of(Role role) noexcept { return word_of(kRoles, role); }

std::string to_line(const Line& line) {
  constexpr bool kAsciiOnly = true;
  const auto object = std::visit([](const auto& one) { return to_json(one); }, line);
  return object.dump(-1, ' ', kAsciiOnly, Json::error_handler_t::replace) + "\n";
}

std::expected<Line, std::string> parse_line(std::string_view text) {
  if (text.size() > kMaxLine) return complain("it is too long");
  constexpr bool kThrow = false;
  const auto object = Json::parse(text, nullptr, kThrow);
  if (!object.is_object()) return complain("it is not a JSON object");
  if (!object.contains("left_out")) return frame_of(object);
  LeftOut left_out;
  PAKE_TRY(left_out.us, number_of(object, "us", std::numeric_limits<std::uint64_t>::max()));
  PAKE_TRY(left_out.frames, number_of(object, "left_out", kMaxConnections));
  return left_out;
}

}  // namespace pake::cli::trace
