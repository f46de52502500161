#include "pake/base/result.h"

namespace pake {

std::string_view to_string(Errc error) noexcept {
  switch (error) {
    case Errc::malformed:
      return "malformed";
    case Errc::auth_failed:
      return "auth_failed";
    case Errc::misuse:
      return "misuse";
    case Errc::exhausted:
      return "exhausted";
    case Errc::unavailable:
      return "unavailable";
  }
  return "unknown";
}

}  // namespace pake
