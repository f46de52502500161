#include "network/problems.h"

#include <fmt/format.h>

namespace pake::cli {
namespace {

Problem told(const channel::Alert& alert, const HandshakeWords& words) {
  using enum channel::AlertCode;
  switch (alert.code) {
    case throttled:
      if (alert.retry_after == 0)  // to try again never helps
        return {.exit_code = kExitThrottled, .error = fmt::format("{}: ask for a new one", words.busy)};
      return {.exit_code = kExitThrottled,
              .error = fmt::format("{}: try again in {} s", words.busy, alert.retry_after)};
    case refused:
      return words.wrong_secret;
    case unavailable:
    case unknown_server:
    case unsupported:
    case malformed:
      break;
  }
  return {.exit_code = kExitProtocol, .error = fmt::format("the other side refused us: {}", to_string(alert.code))};
}

}  // namespace

Problem cannot_connect(const net::Address& address, const net::Error& error, const std::string& start) {
  return {.exit_code = kExitUnreachable,
          .error = fmt::format("cannot connect to {}: {}", net::to_string(address), error.explain()),
          .hint = error == net::Error::Kind::refused && !start.empty() ? "start the other side first: " + start : ""};
}

Problem cannot_listen(const net::Address& address, const net::Error& error) {
  const bool in_use = error == net::Error::Kind::in_use && std::holds_alternative<net::TcpAddress>(address);
  return {.exit_code = kExitFailed,
          .error = fmt::format("cannot listen on {}: {}", net::to_string(address), error.explain()),
          .hint = in_use ? "choose another port; port 0 lets the system choose a free port" : ""};
}

Problem no_channel(const net::HandshakeError& error, const HandshakeWords& words) {
  if (error.failure && error.failure->received) return told(*error.failure->received, words);
  if (error.failure && error.failure->error == Errc::auth_failed) return words.wrong_secret;
  if (error.failure && error.failure->error == Errc::unavailable) return no_memory_to_stretch();
  if (error.failure)
    return {.exit_code = kExitProtocol, .error = "what answers at this address does not speak this protocol"};
  return {.exit_code = kExitCutShort, .error = fmt::format("the handshake broke off: {}", error.error.explain())};
}

Problem no_memory_to_stretch() { return {.error = "no memory for the stretching of the password"}; }

Problem channel_cut() {
  return {.exit_code = kExitCutShort, .error = "the channel ended before everything had passed"};
}

Problem stream_ended(const net::Error& error) {
  using enum channel::ResetCode;
  if (error != net::Error::Kind::reset) return channel_cut();
  switch (error.reset_code) {
    case no_such_service:
      return {.exit_code = kExitService,
              .error = "the server has no service of that name",
              .hint = "its operator knows the names: they stand in its configuration"};
    case not_allowed:
      return {.exit_code = kExitService, .error = "the server does not let this user use that service"};
    case backend_unreachable:
      return {.exit_code = kExitService, .error = "the server cannot reach what is behind that service"};
    case too_many:
      return {
          .exit_code = kExitService, .error = "the server carries no more streams for now", .hint = "try again later"};
    case backend_failed:
    case cancelled:
      break;
  }
  return channel_cut();
}

Problem channel_ended(const net::LinkEnd& end) {
  using channel::EndReason;
  switch (end.end) {
    case EndReason::closed:
      if (end.peer_close == channel::CloseCode::going_away)
        return {.exit_code = kExitCutShort,
                .error = "the server has ended this session",
                .hint =
                    "it stops, its operator has ended the session or changed the account, or the session was too "
                    "long or idle for too long"};
      return channel_cut();
    case EndReason::refused:
      return {.exit_code = kExitAuthFailed, .error = "wrong code, or somebody is in between"};
    case EndReason::cut:
      return {
          .exit_code = kExitCutShort,
          .error = fmt::format("the connection was cut: {}", end.transport ? end.transport->explain() : "it ended")};
    case EndReason::silent:
      return {.exit_code = kExitCutShort, .error = "the other side has been silent for too long"};
    case EndReason::peer_failed:
      return {.exit_code = kExitCutShort, .error = "the other side gave up"};
    case EndReason::not_delivered:
      return {.exit_code = kExitCutShort, .error = "the other side could not write all that it was sent"};
    case EndReason::unanswered:
    case EndReason::aborted:
      return channel_cut();
    case EndReason::not_authentic:
    case EndReason::violation:
    case EndReason::exhausted:
      break;
  }
  return {.exit_code = kExitProtocol,
          .error = fmt::format("what came is not of this channel ({}): somebody may be meddling", to_string(end.end))};
}

}  // namespace pake::cli
