// How the text of an option, or of a line in a configuration file, becomes a value: types with their bounds. Nothing
// here knows where the text came from.
#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pake/net/address.h"

namespace pake::cli {

/// What is wrong with a text: a lower-case sentence without a full stop, and what to type instead, if there is
/// something.
struct Complaint {
  std::string error;
  std::string hint = {};
};
using Accepted = std::expected<void, Complaint>;

/// One value that a person may set. It refers to the variable that holds it, which outlives it and holds the default
/// until something is set.
struct Value {
  enum class Type : std::uint8_t {
    flag,    // true or false
    number,  // digits
    text,    // anything else
    list,    // several texts, one `set` for each
  };
  // logins: NAME@HOST that this user has remembered or configured; services: those that the configuration names.
  enum class Completes : std::uint8_t { nothing, choices, files, directories, hosts, logins, services };

  Type type = Type::text;
  std::string name = {};                               // as --help calls it: "SECONDS"; empty for a flag
  std::string bounds = {};                             // in words: "1 to 86400"
  std::function<Accepted(std::string_view)> set = {};  // a flag takes "true" and "false"
  std::function<std::string()> show = {};              // the value as a text that `set` takes; "" if there is none
  std::function<void()> clear = {};                    // of a list: before the first `set` that replaces it
  Completes completes = Completes::nothing;
  std::vector<std::string> choices = {};
};

template <class T>
struct Bounds {
  T from;
  T to;
};

inline constexpr std::size_t kDay = 86'400;  // seconds

/// True once it is named.
[[nodiscard]] Value flag(bool& value);
/// A whole number within `bounds`.
[[nodiscard]] Value number(std::size_t& value, std::string name, Bounds<std::size_t> bounds);
/// A descriptor's number, or another that nothing bounds and that has no default.
[[nodiscard]] Value number(std::optional<int>& value, std::string name);
/// Whole seconds within `bounds`.
[[nodiscard]] Value seconds(std::chrono::seconds& value, Bounds<std::size_t> bounds = {.from = 1, .to = kDay});
/// Any text that `check` accepts; it returns what is wrong with it, or "".
[[nodiscard]] Value text(std::string& value, std::string name, std::function<std::string(std::string_view)> check = {});
[[nodiscard]] Value text(std::optional<std::string>& value, std::string name,
                         std::function<std::string(std::string_view)> check = {});
/// Under which a key is exported: 1 to 100 printable ASCII characters, no space.
[[nodiscard]] Value label(std::string& value);
[[nodiscard]] Value label(std::optional<std::string>& value);
/// One text after the other.
[[nodiscard]] Value texts(std::vector<std::string>& values, std::string name,
                          std::function<std::string(std::string_view)> check = {});
/// The path of a file, or of a directory.
[[nodiscard]] Value file(std::optional<std::string>& value);
[[nodiscard]] Value directory(std::optional<std::string>& value);
/// Where to connect to: HOST, HOST:PORT, [V6]:PORT or unix:PATH. What looks like a code is refused, because a code that
/// stands where the address belongs must never be looked up.
[[nodiscard]] Value address_to_dial(net::Address& value);
[[nodiscard]] Value address_to_dial(std::optional<net::Address>& value);
/// Where to listen: the same, a port alone, or :PORT, which both mean every interface; port 0 is any free one.
[[nodiscard]] Value address_to_listen(net::Address& value);

/// One of `choices`.
template <class T>
[[nodiscard]] Value choice(T& value, std::string name, std::vector<std::pair<std::string, T>> choices) {
  Value made{.name = std::move(name), .completes = Value::Completes::choices};
  for (const auto& [word, meaning] : choices) made.choices.push_back(word);
  for (const auto& word : made.choices) made.bounds += (made.bounds.empty() ? "" : " or ") + word;
  made.set = [&value, choices, bounds = made.bounds](std::string_view typed) -> Accepted {
    for (const auto& [word, meaning] : choices)
      if (word == typed) {
        value = meaning;
        return {};
      }
    return std::unexpected(Complaint{.error = "it is " + bounds + ", not '" + std::string(typed) + "'"});
  };
  made.show = [&value, choices] {
    for (const auto& [word, meaning] : choices)
      if (meaning == value) return word;
    return std::string();
  };
  return made;
}

/// What must not stand where an address or a name belongs: nothing, or why `typed`, which looks like a code of two
/// people or of an invitation, is refused. A word with one typing error is still taken for a word.
[[nodiscard]] Accepted refuse_code(std::string_view typed);

/// An address to dial, as address_to_dial reads it.
[[nodiscard]] std::expected<net::Address, Complaint> parse_address_to_dial(std::string_view typed);
/// An address to listen on, as address_to_listen reads it.
[[nodiscard]] std::expected<net::Address, Complaint> parse_address_to_listen(std::string_view typed);

}  // namespace pake::cli
