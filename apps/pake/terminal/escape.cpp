#include "terminal/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

namespace pake::cli {
namespace {

struct CodePoint {
  char32_t value;
  std::size_t size;
};

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

// RFC 3629, Section 4. The code point that `text` (not empty) begins with; nothing when it is not well formed.
std::optional<CodePoint> first_code_point(std::string_view text) {
  struct Form {
    std::uint8_t mask, mark;
    char32_t smallest;  // a longer form than needed is malformed
  };
  constexpr std::array<Form, 4> kForms = {
      {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}}};
  const std::uint8_t lead = byte_at(text, 0);
  const auto* const form = std::ranges::find_if(kForms, [&](const Form& f) { return (lead & f.mask) == f.mark; });
  const auto size = static_cast<std::size_t>(form - kForms.begin()) + 1;
  if (form == kForms.end() || text.size() < size) return std::nullopt;
  char32_t value = lead & static_cast<std::uint8_t>(~form->mask);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80U) return std::nullopt;
    value = value << 6U | (byte_at(text, i) & 0x3fU);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < form->smallest || value > 0x10ffff || surrogate) return std::nullopt;
  return CodePoint{.value = value, .size = size};
}

bool is_harmless(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  const bool control = c < 0x20 || within(0x7f, 0x9f);
  const bool breaks_lines = within(0x2028, 0x2029);
  const bool reorders = c == 0x61c || within(0x200e, 0x200f) || within(0x202a, 0x202e) || within(0x2066, 0x2069);
  return !control && !breaks_lines && !reorders;
}

std::string spelled(char32_t c) {
  switch (c) {
    case U'\n':
      return "\\n";
    case U'\r':
      return "\\r";
    case U'\t':
      return "\\t";
    default:
      break;
  }
  const auto value = static_cast<std::uint32_t>(c);
  return c < 0x80 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{:04x}", value);
}

}  // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const auto next = first_code_point(text);
    const auto size = next ? next->size : 1;
    if (!next)
      fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", byte_at(text, 0));
    else
      escaped += is_harmless(next->value) ? std::string(text.substr(0, size)) : spelled(next->value);
    text.remove_prefix(size);
  }
  return escaped;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto next = first_code_point(text);
    if (!next) return false;
    text.remove_prefix(next->size);
  }
  return true;
}

}  // namespace pake::cli
