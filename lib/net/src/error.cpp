#include "pake/net/error.h"

#include <netdb.h>

#include <cerrno>
#include <cstring>

namespace pake::net {
namespace {

std::string system_text(int system) {
  const char* const text = ::strerrordesc_np(system);
  return text != nullptr ? text : "error " + std::to_string(system);
}

std::string reset_text(channel::ResetCode code) {
  using enum channel::ResetCode;
  switch (code) {
    case no_such_service:
      return "the peer offers no such service";
    case not_allowed:
      return "the peer does not allow it";
    case backend_unreachable:
      return "the peer cannot reach what is behind it";
    case backend_failed:
      return "what is behind the peer failed";
    case too_many:
      return "the peer takes no more at a time";
    case cancelled:
      break;
  }
  return "the peer broke the connection off";
}

}  // namespace

std::string Error::explain() const {
  switch (kind) {
    case Kind::timed_out:
      return "nothing came in time";
    case Kind::closed:
      return "the peer closed the connection";
    case Kind::reset:
      return reset_text(reset_code);
    case Kind::refused:
      return (system == ENOENT ? "no such file or directory" : "connection refused") +
             std::string(": nobody listens there");
    case Kind::unreachable:
      return "unreachable: " + system_text(system);
    case Kind::unknown_host:
      return std::string("unknown host: ") + ::gai_strerror(system);
    case Kind::in_use:
      return "somebody listens there already";
    case Kind::occupied:
      return "a file that is no socket is there already";
    case Kind::not_ours:
      return "no interface of this machine has that address";
    case Kind::denied:
      return "not permitted: " + system_text(system);
    case Kind::exhausted:
      return "out of resources: " + system_text(system);
    case Kind::too_long:
      return "the peer sent more than belongs here";
    case Kind::run_failed:
      return "the protocol run failed";
    case Kind::interrupted:
      return "interrupted";
    case Kind::cancelled:
      return "cancelled";
    case Kind::other:
      return system_text(system);
  }
  return system_text(system);
}

Error from_errno(int system) noexcept {
  using enum Error::Kind;
  const auto kind = [system] {
    switch (system) {
      case ETIMEDOUT:
        return timed_out;
      case ECONNRESET:
      case ECONNABORTED:
      case EPIPE:
        return reset;
      case ECONNREFUSED:
        return refused;
      case EHOSTUNREACH:
      case ENETUNREACH:
      case EHOSTDOWN:
      case ENETDOWN:
      case EAFNOSUPPORT:
        return unreachable;
      case EADDRINUSE:
        return in_use;
      case EADDRNOTAVAIL:
        return not_ours;
      case EACCES:
      case EPERM:
        return denied;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return exhausted;
      default:
        return other;
    }
  }();
  return {.kind = kind, .system = system};
}

}  // namespace pake::net
