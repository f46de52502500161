// What the codes that people read out have in common: words drawn at random, and the parts of what someone typed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "pake/base/ct.h"
#include "pake/base/rng.h"
#include "pake/identity/code.h"

namespace pake::identity {

[[nodiscard]] inline std::string_view random_word(Rng& rng) {
  static_assert(kWordCount == 1024, "ten bits a word");
  std::array<std::uint8_t, 2> bytes{};
  rng.fill(bytes);
  const auto index = (std::size_t{bytes[0]} << 8U | bytes[1]) & (kWordCount - 1);
  wipe(bytes);
  return words()[index];
}

[[nodiscard]] inline bool is_word(std::string_view text) { return std::ranges::binary_search(words(), text); }
[[nodiscard]] inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] inline char to_lower_ascii(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The parts of `text` between hyphens and spaces, exactly kCount of them, or nothing.
template <std::size_t kCount>
[[nodiscard]] std::optional<std::array<std::string_view, kCount>> parts_of(std::string_view text) {
  const auto is_separator = [](char c) { return c == ' ' || c == '-'; };
  std::array<std::string_view, kCount> parts;
  std::size_t count = 0;
  while (true) {
    text.remove_prefix(static_cast<std::size_t>(std::ranges::find_if_not(text, is_separator) - text.begin()));
    if (text.empty()) break;
    if (count == kCount) return std::nullopt;
    const auto end = static_cast<std::size_t>(std::ranges::find_if(text, is_separator) - text.begin());
    parts[count++] = text.substr(0, end);
    text.remove_prefix(end);
  }
  if (count != kCount) return std::nullopt;
  return parts;
}

/// `parts`, hyphens between them.
[[nodiscard]] inline SecretBuffer join(std::span<const std::string_view> parts) {
  std::size_t size = parts.size() - 1;
  for (const auto part : parts) size += part.size();
  return SecretBuffer::make(size, [&](MutableBytes out) {
    auto at = out.begin();
    for (const auto part : parts) {
      if (at != out.begin()) *at++ = '-';
      at = std::ranges::copy(part, at).out;
    }
  });
}

}  // namespace pake::identity
