#include "pake/identity/invitation.h"

#include "typed_code.h"

namespace pake::identity {
namespace {

constexpr std::size_t kMaxTyped = 128;
constexpr std::uint32_t kFirstSelector = 1'000'000;
constexpr std::uint32_t kSelectors = 9'000'000;

std::string random_selector(Rng& rng) {
  constexpr auto kEnd = UINT32_MAX - UINT32_MAX % kSelectors;  // below it every selector is equally likely
  std::uint32_t value = 0;
  do {
    std::array<std::uint8_t, 4> bytes{};
    rng.fill(bytes);
    value = std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U | std::uint32_t{bytes[2]} << 8U | bytes[3];
  } while (value >= kEnd);
  return std::to_string(kFirstSelector + value % kSelectors);
}

}  // namespace

SecretBuffer InvitationCode::text() const {
  const std::array<std::string_view, 2> parts = {selector, as_text(words.reveal())};
  return join(parts);
}

InvitationCode generate_invitation_code(Rng& rng) {
  auto selector = random_selector(rng);
  std::array<std::string_view, kInvitationWords> drawn;
  for (auto& word : drawn) word = random_word(rng);
  return {.selector = std::move(selector), .words = join(drawn)};
}

bool is_selector(Bytes selector) noexcept {
  const auto text = as_text(selector);
  return text.size() == kSelectorSize && std::ranges::all_of(text, is_digit) && text[0] != '0';
}

Result<InvitationCode> parse_invitation_code(Bytes typed) {
  if (typed.size() > kMaxTyped) return fail(Errc::malformed);
  auto text = Secret<kMaxTyped>::make(
      [&](auto out) { std::ranges::transform(as_text(typed), out.begin(), [](char c) { return to_lower_ascii(c); }); });
  auto rest = as_text(text.reveal()).substr(0, typed.size());
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  const auto parts = parts_of<1 + kInvitationWords>(rest);
  if (!parts) return fail(Errc::malformed);
  const auto words = std::span(*parts).last(kInvitationWords);
  if (!is_selector(as_bytes(parts->front())) || !std::ranges::all_of(words, is_word)) return fail(Errc::malformed);
  return InvitationCode{.selector = std::string(parts->front()), .words = join(words)};
}

}  // namespace pake::identity
