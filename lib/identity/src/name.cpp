#include "pake/identity/name.h"

#include <algorithm>
#include <cstdint>
#include <ranges>

#include "pake/internal/try.h"
#include "unicode.h"

namespace pake::identity {
namespace {

constexpr std::size_t kMaxTyped = 4 * kMaxNameSize;  // lower-casing and composing shrink a text to a third at most
// A text that is still changing then is refused. No code point needs more than two rounds (tested over all of them).
constexpr int kMaxRounds = 8;

bool may_stand_in_a_name(std::int32_t code_point) {
  switch (class_of(code_point)) {
    case CodePointClass::letter:
    case CodePointClass::mark:
    case CodePointClass::decimal_digit:
      return true;
    default:
      return code_point == '.' || code_point == '_' || code_point == '-' || code_point == '+' || code_point == '@';
  }
}

std::int32_t same_if_allowed(std::int32_t code_point) { return may_stand_in_a_name(code_point) ? code_point : -1; }

}  // namespace

Result<std::string> normalise_name(Bytes typed) {
  if (typed.size() > kMaxTyped) return fail(Errc::malformed);
  auto name = to_buffer(typed);
  for (int round = 0; round < kMaxRounds; ++round) {
    PAKE_TRY(const auto lower, map_code_points(name, to_lower));
    PAKE_TRY(const auto composed, to_nfc(lower.reveal()));
    if (std::ranges::equal(composed.reveal(), name)) {
      PAKE_TRYV(map_code_points(name, same_if_allowed));
      if (name.empty() || name.size() > kMaxNameSize) return fail(Errc::malformed);
      return std::string(as_text(name));
    }
    name = to_buffer(composed.reveal());
  }
  return fail(Errc::malformed);
}

bool is_normalised_name(Bytes name) {
  if (name.size() > kMaxNameSize) return false;
  const auto normalised = normalise_name(name);
  return normalised && *normalised == as_text(name);
}

}  // namespace pake::identity
