#include "pake/server/counters.h"

#include <utility>

namespace pake::server {

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::accepted:
      return "accepted";
    case Outcome::refused:
      return "refused";
    case Outcome::throttled:
      return "throttled";
    case Outcome::unavailable:
      return "unavailable";
    case Outcome::protocol:
      return "protocol";
    case Outcome::gone:
      return "gone";
  }
  std::unreachable();
}

std::string_view to_string(Entrance entrance) noexcept {
  switch (entrance) {
    case Entrance::none:
      return "none";
    case Entrance::password:
      return "password";
    case Entrance::code:
      return "code";
    case Entrance::ticket:
      return "ticket";
  }
  std::unreachable();
}

}  // namespace pake::server
