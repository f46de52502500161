#include "eke/options.h"

#include "pake/internal/try.h"
#include "process/output.h"

namespace pake::cli::eke {

Expected<SecretBuffer> password_or_default(const SecretOptions& options) {
  constexpr std::string_view kSeedPassword = "12345678";
  const auto ask = options.prompt ? std::optional(SecretPrompt{.question = "Password: "}) : std::nullopt;
  PAKE_TRY(auto given, read_secret(options, ask));
  if (given) return std::move(given->text);
  return SecretBuffer::copy_of(as_bytes(kSeedPassword));
}

void say_history() {
  say_note(
      "RSA-EKE of 1992 is history and insecure, for study and interoperability only: it prints its secrets and chats "
      "in "
      "clear; where it matters, use CPace or OPAQUE");
}

}  // namespace pake::cli::eke
