#include "pake/identity/password.h"

#include <cstdint>

#include "pake/internal/try.h"
#include "unicode.h"

namespace pake::identity {
namespace {

constexpr std::size_t kMaxTyped = 4 * kMaxPasswordSize;  // composing shrinks a text to a third at most

std::int32_t plain_space(std::int32_t code_point) {
  switch (class_of(code_point)) {
    case CodePointClass::space:
      return ' ';
    case CodePointClass::control:
      return -1;
    default:
      return code_point;
  }
}

}  // namespace

Result<Password> normalise_password(Bytes typed) {
  if (typed.size() > kMaxTyped) return fail(Errc::malformed);
  PAKE_TRY(const auto spaced, map_code_points(typed, plain_space));
  PAKE_TRY(auto password, to_nfc(spaced.reveal()));
  if (password.empty() || password.size() > kMaxPasswordSize) return fail(Errc::malformed);
  return password;
}

Result<Password> normalise_password_of_file(Bytes content) {
  if (!content.empty() && content.back() == '\n') {
    content = content.first(content.size() - 1);
    if (!content.empty() && content.back() == '\r') content = content.first(content.size() - 1);
  }
  return normalise_password(content);
}

}  // namespace pake::identity
