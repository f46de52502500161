#include "pipe/given_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "pake/internal/try.h"

namespace pake::cli::pipe {
namespace {

Problem no_code(const std::string& source) {
  const auto origin = source.empty() ? "this" : fmt::format("what {} gives", source);
  return {.exit_code = kExitUsage,
          .error = origin + " is not a code: a code is two words of the list and a number",
          .hint = "type it as the other side shows it, like word-word-42; nothing was sent"};
}

Problem no_selector(const std::string& source) {
  const auto origin = source.empty() ? "this code" : fmt::format("the code that {} gives", source);
  return {.exit_code = kExitUsage,
          .error = origin + " has no number in front, by which the other side is found",
          .hint = "type it as the other side shows it, like 7-word-word-42; nothing was sent"};
}

constexpr std::size_t kMostDigits = 7;

// The number in front, if there is one, and what is behind it.
std::pair<std::string_view, Bytes> split(Bytes typed) {
  const auto text = as_text(typed);
  const auto begin = std::min(text.find_first_not_of(" -"), text.size());
  const auto end = std::min(text.find_first_not_of("0123456789", begin), text.size());
  const bool is_number = end > begin && end - begin <= kMostDigits && (text[begin] != '0' || end - begin == 1) &&
                         end < text.size() && (text[end] == '-' || text[end] == ' ');
  if (!is_number) return {"", typed};
  return {text.substr(begin, end - begin), typed.subspan(end)};
}

std::optional<Problem> check(Bytes typed, Selector selector, const std::string& source) {
  const auto [number, code] = split(typed);
  if (!identity::parse_code(code) || (selector == Selector::none && !number.empty())) return no_code(source);
  if (selector == Selector::wanted && number.empty()) return no_selector(source);
  return std::nullopt;
}

}  // namespace

Expected<GivenCode> ask_for_code(const SecretOptions& secret) { return ask_for_code(secret, Selector::none); }

Expected<GivenCode> ask_for_code(const SecretOptions& secret, Selector selector) {
  PAKE_TRY(const auto given, read_secret(secret, SecretPrompt{.question = "Code: ", .check = [selector](Bytes typed) {
                                                                return check(typed, selector, "");
                                                              }}));
  if (auto problem = check(given->text.reveal(), selector, given->source)) return std::unexpected(std::move(*problem));
  const auto [number, code] = split(given->text.reveal());
  auto parsed = identity::parse_code(code);
  return GivenCode{.selector = std::string(number), .code = std::move(*parsed), .source = given->source};
}

Problem wrong_code(const std::string& source, const std::string& start) {
  const auto origin = source == "the prompt" ? "" : fmt::format(" (the code came from {})", source);
  return {
      .exit_code = kExitAuthFailed,
      .error = "wrong code, or somebody is in between",
      .hint = fmt::format("the code is used up: let the other side start `{}` again for another one{}", start, origin)};
}

}  // namespace pake::cli::pipe
