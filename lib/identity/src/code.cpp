#include "pake/identity/code.h"

#include "typed_code.h"

namespace pake::identity {
namespace {

constexpr std::size_t kMaxTyped = 64;
constexpr std::uint8_t kFirstNumber = 10;
constexpr std::uint8_t kNumbers = 90;

/// 64 bits modulo kNumbers: no number is likelier than another by more than one in 2^57, and nothing is drawn again,
/// for a source that is stuck would be drawn from for ever.
std::uint8_t random_number(Rng& rng) {
  std::array<std::uint8_t, 8> bytes{};
  rng.fill(bytes);
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8U | byte;
  wipe(bytes);
  return static_cast<std::uint8_t>(kFirstNumber + value % kNumbers);
}

}  // namespace

Code generate_code(Rng& rng) {
  const auto first = random_word(rng);
  const auto second = random_word(rng);
  const auto number = random_number(rng);
  const std::array<char, 2> digits = {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
  const std::array<std::string_view, 3> parts = {first, second, {digits.data(), digits.size()}};
  return join(parts);
}

Result<Code> parse_code(Bytes typed) {
  if (typed.size() > kMaxTyped) return fail(Errc::malformed);
  auto text = Secret<kMaxTyped>::make(
      [&](auto out) { std::ranges::transform(as_text(typed), out.begin(), [](char c) { return to_lower_ascii(c); }); });
  const auto parts = parts_of<3>(as_text(text.reveal()).substr(0, typed.size()));
  if (!parts) return fail(Errc::malformed);
  const auto [first, second, number] = *parts;
  const bool is_code = is_word(first) && is_word(second) && number.size() == 2 &&
                       std::ranges::all_of(number, is_digit) && number[0] != '0';
  if (!is_code) return fail(Errc::malformed);
  return join(*parts);
}

}  // namespace pake::identity
