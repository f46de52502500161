#include "pake/testing/hex.h"

#include <stdexcept>

namespace pake::testing {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::uint8_t digit(char c) {
  const auto value = kDigits.find(c);
  if (value == std::string_view::npos) throw std::invalid_argument("not lower-case hex");
  return static_cast<std::uint8_t>(value);
}

}  // namespace

Buffer unhex(std::string_view text) {
  if (text.size() % 2 != 0) throw std::invalid_argument("hex of odd length");
  Buffer bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) * 16 + digit(text[i + 1])));
  return bytes;
}

std::string hex(Bytes bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace pake::testing
