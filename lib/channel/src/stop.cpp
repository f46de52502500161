#include "stop.h"

namespace pake::channel {
namespace {

// What an Alert means to whoever must act on it.
Errc error_of(AlertCode code) noexcept {
  switch (code) {
    case AlertCode::refused:
      return Errc::auth_failed;
    case AlertCode::throttled:
      return Errc::exhausted;
    case AlertCode::unavailable:
      return Errc::unavailable;
    case AlertCode::unknown_server:
    case AlertCode::unsupported:
    case AlertCode::malformed:
      return Errc::malformed;
  }
  return Errc::malformed;
}

}  // namespace

AlertCode Stop::alert_for(Errc code) noexcept {
  switch (code) {
    case Errc::malformed:
      return AlertCode::malformed;
    case Errc::unavailable:
    case Errc::misuse:  // our caller's mistake: the peer's password may be right
      return AlertCode::unavailable;
    case Errc::auth_failed:
    case Errc::exhausted:
      return AlertCode::refused;
  }
  return AlertCode::refused;
}

Stop Stop::received_alert(const Alert& alert) noexcept {
  return Stop(Failure{.error = error_of(alert.code), .to_send = {}, .received = alert});
}

Stop Stop::sending_alert(const Alert& alert) noexcept {
  return Stop(Failure{.error = error_of(alert.code), .to_send = alert, .received = {}});
}

}  // namespace pake::channel
