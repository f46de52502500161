#include "pake/identity/code.h"

#include <algorithm>
#include <cstdint>

namespace pake::identity {
namespace {

constexpr std::size_t kMaxTyped = 64;
constexpr std::size_t kParts = 3;
constexpr std::uint8_t kFirstNumber = 10;
constexpr std::uint8_t kNumbers = 90;

std::string_view random_word(Rng& rng) {
  static_assert(kWordCount == 1024, "ten bits a word");
  std::array<std::uint8_t, 2> bytes{};
  rng.fill(bytes);
  const auto index = (std::size_t{bytes[0]} << 8U | bytes[1]) & (kWordCount - 1);
  wipe(bytes);
  return words()[index];
}

std::uint8_t random_number(Rng& rng) {
  constexpr unsigned kEnd = 256 - 256 % kNumbers;  // below it every number is equally likely
  std::uint8_t byte = 0;
  do rng.fill({&byte, 1});
  while (byte >= kEnd);
  return static_cast<std::uint8_t>(kFirstNumber + byte % kNumbers);
}

Code join(std::string_view first, std::string_view second, std::string_view number) {
  return Code::make(first.size() + second.size() + number.size() + 2, [&](MutableBytes out) {
    auto at = std::ranges::copy(first, out.begin()).out;
    *at++ = '-';
    at = std::ranges::copy(second, at).out;
    *at++ = '-';
    std::ranges::copy(number, at);
  });
}

bool is_separator(char c) { return c == ' ' || c == '-'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Code generate_code(Rng& rng) {
  const auto first = random_word(rng);
  const auto second = random_word(rng);
  const auto number = random_number(rng);
  const std::array<char, 2> digits = {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
  return join(first, second, {digits.data(), digits.size()});
}

Result<Code> parse_code(Bytes typed) {
  if (typed.size() > kMaxTyped) return fail(Errc::malformed);
  auto text = Secret<kMaxTyped>::make(
      [&](auto out) { std::ranges::transform(as_text(typed), out.begin(), [](char c) { return lower(c); }); });
  auto rest = as_text(text.reveal()).substr(0, typed.size());

  std::array<std::string_view, kParts> parts;
  std::size_t count = 0;
  while (true) {
    rest.remove_prefix(static_cast<std::size_t>(std::ranges::find_if_not(rest, is_separator) - rest.begin()));
    if (rest.empty()) break;
    if (count == kParts) return fail(Errc::malformed);
    const auto end = static_cast<std::size_t>(std::ranges::find_if(rest, is_separator) - rest.begin());
    parts[count++] = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  const auto [first, second, number] = parts;
  const bool is_code = count == kParts && std::ranges::binary_search(words(), first) &&
                       std::ranges::binary_search(words(), second) && number.size() == 2 &&
                       std::ranges::all_of(number, is_digit) && number[0] != '0';
  if (!is_code) return fail(Errc::malformed);
  return join(first, second, number);
}

}  // namespace pake::identity
