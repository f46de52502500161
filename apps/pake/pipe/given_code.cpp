#include "pipe/given_code.h"

#include <fmt/format.h>

#include <optional>
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

std::optional<Problem> check_typed(Bytes typed) {
  if (identity::parse_code(typed)) return std::nullopt;
  return no_code("");
}

}  // namespace

Expected<GivenCode> ask_for_code(const SecretOptions& secret) {
  PAKE_TRY(const auto given, read_secret(secret, SecretPrompt{.question = "Code: ", .check = check_typed}));
  auto code = identity::parse_code(given->text.reveal());
  if (!code) return std::unexpected(no_code(given->source));
  return GivenCode{.code = std::move(*code), .source = given->source};
}

Problem wrong_code(const std::string& source, const std::string& start) {
  const auto origin = source == "the prompt" ? "" : fmt::format(" (the code came from {})", source);
  return {
      .exit_code = kExitAuthFailed,
      .error = "wrong code, or somebody is in between",
      .hint = fmt::format("the code is used up: let the other side start `{}` again for another one{}", start, origin)};
}

}  // namespace pake::cli::pipe
