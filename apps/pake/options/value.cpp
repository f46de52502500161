#include "options/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <variant>

#include "options/spelling.h"
#include "pake/identity/code.h"
#include "pake/identity/invitation.h"
#include "pake/internal/try.h"

namespace pake::cli {
namespace {

std::unexpected<Complaint> complain(std::string error, std::string hint = {}) {
  return std::unexpected(Complaint{.error = std::move(error), .hint = std::move(hint)});
}

std::expected<std::size_t, Complaint> parse_number(std::string_view typed, Bounds<std::size_t> bounds) {
  std::size_t value = 0;
  const auto* const end = typed.data() + typed.size();
  const auto [stopped, error] = std::from_chars(typed.data(), end, value);
  if (error != std::errc() || stopped != end || value < bounds.from || value > bounds.to)
    return complain(fmt::format("it is a whole number from {} to {}, not '{}'", bounds.from, bounds.to, typed));
  return value;
}

std::string in_words(Bounds<std::size_t> bounds) { return fmt::format("{} to {}", bounds.from, bounds.to); }

constexpr std::size_t kLongestLabel = 100;

std::string check_label(std::string_view label) {
  const bool is_plain = std::ranges::all_of(label, [](char c) { return c > ' ' && c < 0x7f; });
  if (!label.empty() && label.size() <= kLongestLabel && is_plain) return "";
  return fmt::format("a label has 1 to {} printable ASCII characters and no space", kLongestLabel);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return result;
}

// The parts of `typed` between its hyphens and spaces.
std::vector<std::string> parts_of(std::string_view typed) {
  std::vector<std::string> parts(1);
  for (const char c : typed) {
    if (c != '-' && c != ' ')
      parts.back() += c;
    else if (!parts.back().empty())
      parts.emplace_back();
  }
  if (parts.back().empty()) parts.pop_back();
  return parts;
}

// 0 for a word of the list, 1 for one typing error, more for anything else.
std::size_t distance_to_words(std::string_view word) {
  std::size_t least = 2;
  for (const auto& one : identity::words()) least = std::min(least, edit_distance(lower(word), one, least));
  return least;
}

// word-word-NN, or with a number in front, with one typing error at most: parse_code takes no error at all, but such a
// text is a code all the same.
bool is_almost_code(std::string_view typed) {
  auto parts = parts_of(typed);
  // 7-violin-harvest-42: the number in front finds the other side.
  if (parts.size() == 4 && std::ranges::all_of(parts[0], is_digit)) parts.erase(parts.begin());
  if (parts.size() != 3 || parts[2].size() != 2 || !std::ranges::all_of(parts[2], is_digit)) return false;
  if (!std::ranges::all_of(parts[0], is_letter) || !std::ranges::all_of(parts[1], is_letter)) return false;
  return distance_to_words(parts[0]) + distance_to_words(parts[1]) <= 1;
}

// SELECTOR-word-word-word-word, likewise.
bool is_almost_invitation(std::string_view typed) {
  const auto parts = parts_of(typed);
  if (parts.size() != 1 + identity::kInvitationWords || !std::ranges::all_of(parts[0], is_digit)) return false;
  std::size_t wrong = 0;
  for (std::size_t i = 1; i < parts.size(); ++i) wrong += distance_to_words(parts[i]);
  return wrong <= 1;
}

bool is_code(std::string_view typed) {
  return identity::parse_code(as_bytes(typed)).has_value() ||
         identity::parse_invitation_code(as_bytes(typed)).has_value() || is_almost_code(typed) ||
         is_almost_invitation(typed);
}

// "tcp://host:8088", as other programs take it: the part behind the scheme, or nothing.
std::string_view behind_scheme(std::string_view typed) {
  const auto colon = typed.find("://");
  if (colon == std::string_view::npos || colon == 0) return {};
  if (!std::ranges::all_of(typed.substr(0, colon), [](char c) { return is_letter(c) || is_digit(c) || c == '+'; }))
    return {};
  auto rest = typed.substr(colon + 3);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  return rest;
}

std::expected<net::Address, Complaint> parse_address(std::string_view typed) {
  PAKE_TRYV(refuse_code(typed));
  if (const auto rest = behind_scheme(typed); !rest.empty())
    return complain(fmt::format("'{}' has no place in front of an address", typed.substr(0, typed.find("://") + 3)),
                    net::parse_address(rest) ? fmt::format("type {}", rest) : "HOST:PORT, [V6]:PORT or unix:PATH");
  auto parsed = net::parse_address(typed);
  if (!parsed) return complain(typed.empty() ? parsed.error() : fmt::format("{}: {}", typed, parsed.error()));
  return *parsed;
}

Value address(net::Address& value, std::expected<net::Address, Complaint> (*parse)(std::string_view)) {
  return {.name = "ADDRESS",
          .set = [&value, parse](std::string_view typed) -> Accepted {
            PAKE_TRY(value, parse(typed));
            return {};
          },
          .show = [&value] { return net::to_string(value); },
          .completes = Value::Completes::hosts};
}

Value path(std::optional<std::string>& value, const char* name, Value::Completes completes) {
  auto made = text(value, name);
  made.completes = completes;
  return made;
}

}  // namespace

Value flag(bool& value) {
  return {.type = Value::Type::flag,
          .set = [&value](std::string_view typed) -> Accepted {
            if (typed != "true" && typed != "false")
              return complain(fmt::format("it is true or false, not '{}'", typed));
            value = typed == "true";
            return {};
          },
          .show = [&value] { return std::string(value ? "true" : "false"); }};
}

Value number(std::size_t& value, std::string name, Bounds<std::size_t> bounds) {
  return {.type = Value::Type::number,
          .name = std::move(name),
          .bounds = in_words(bounds),
          .set = [&value, bounds](std::string_view typed) -> Accepted {
            PAKE_TRY(value, parse_number(typed, bounds));
            return {};
          },
          .show = [&value] { return std::to_string(value); }};
}

Value number(std::optional<int>& value, std::string name) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<int>::max());
  return {.type = Value::Type::number,
          .name = std::move(name),
          .set = [&value](std::string_view typed) -> Accepted {
            PAKE_TRY(const auto parsed, parse_number(typed, {.from = 0, .to = kMost}));
            value = static_cast<int>(parsed);
            return {};
          },
          .show = [&value] { return value ? std::to_string(*value) : std::string(); }};
}

Value seconds(std::chrono::seconds& value, Bounds<std::size_t> bounds) {
  return {.type = Value::Type::number,
          .name = "SECONDS",
          .bounds = in_words(bounds),
          .set = [&value, bounds](std::string_view typed) -> Accepted {
            PAKE_TRY(const auto parsed, parse_number(typed, bounds));
            value = std::chrono::seconds(parsed);
            return {};
          },
          .show = [&value] { return std::to_string(value.count()); }};
}

Value text(std::string& value, std::string name, std::function<std::string(std::string_view)> check) {
  return {.name = std::move(name),
          .set = [&value, check = std::move(check)](std::string_view typed) -> Accepted {
            if (auto error = check ? check(typed) : std::string(); !error.empty()) return complain(std::move(error));
            value = typed;
            return {};
          },
          .show = [&value] { return value; }};
}

Value text(std::optional<std::string>& value, std::string name, std::function<std::string(std::string_view)> check) {
  return {.name = std::move(name),
          .set = [&value, check = std::move(check)](std::string_view typed) -> Accepted {
            if (auto error = check ? check(typed) : std::string(); !error.empty()) return complain(std::move(error));
            value = std::string(typed);
            return {};
          },
          .show = [&value] { return value.value_or(""); }};
}

Value texts(std::vector<std::string>& values, std::string name, std::function<std::string(std::string_view)> check) {
  return {.type = Value::Type::list,
          .name = std::move(name),
          .set = [&values, check = std::move(check)](std::string_view typed) -> Accepted {
            if (auto error = check ? check(typed) : std::string(); !error.empty()) return complain(std::move(error));
            values.emplace_back(typed);
            return {};
          },
          .show = [&values] { return fmt::format("{}", fmt::join(values, " ")); },
          .clear = [&values] { values.clear(); }};
}

Value label(std::string& value) { return text(value, "LABEL", check_label); }
Value label(std::optional<std::string>& value) { return text(value, "LABEL", check_label); }
Value file(std::optional<std::string>& value) { return path(value, "FILE", Value::Completes::files); }
Value directory(std::optional<std::string>& value) { return path(value, "DIR", Value::Completes::directories); }
Value address_to_dial(net::Address& value) { return address(value, &parse_address_to_dial); }
Value address_to_dial(std::optional<net::Address>& value) {
  return {.name = "ADDRESS",
          .set = [&value](std::string_view typed) -> Accepted {
            PAKE_TRY(value, parse_address_to_dial(typed));
            return {};
          },
          .show = [&value] { return value ? net::to_string(*value) : ""; }};
}
Value address_to_listen(net::Address& value) { return address(value, &parse_address_to_listen); }

Accepted refuse_code(std::string_view typed) {
  // With a port behind it, it is no less a code.
  const auto host = typed.substr(0, typed.find(':'));
  if (!is_code(host) && !is_code(typed)) return {};
  return complain(
      "this looks like a code, and an address belongs here: nothing was looked up",
      "type HOST:PORT here; the code is asked for. A host that is called so is typed with a dot at its end");
}

std::expected<net::Address, Complaint> parse_address_to_dial(std::string_view typed) {
  PAKE_TRY(auto parsed, parse_address(typed));
  const auto* const tcp = std::get_if<net::TcpAddress>(&parsed);
  if (tcp != nullptr && tcp->host.empty()) return complain("a host belongs in front of the colon");
  if (tcp != nullptr && tcp->port == 0) return complain("port 0 is for listening: there is nobody to connect to");
  return parsed;
}

std::expected<net::Address, Complaint> parse_address_to_listen(std::string_view typed) {
  auto port = typed;
  if (port.starts_with(':')) port.remove_prefix(1);
  const bool is_port = !port.empty() && port.size() <= 5 && std::ranges::all_of(port, is_digit);
  if (!is_port) return parse_address(typed);
  if (auto everywhere = net::parse_address(fmt::format(":{}", port))) return *everywhere;
  auto of_ipv4 = net::parse_address(fmt::format("0.0.0.0:{}", port));
  if (!of_ipv4) return complain(fmt::format("{}: {}", typed, of_ipv4.error()));
  return *of_ipv4;
}

}  // namespace pake::cli
