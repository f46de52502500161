// What went wrong on the network, as every command says it, and the exit codes that go with it.
#pragma once

#include <string>

#include "pake/net/address.h"
#include "pake/net/channel_link.h"
#include "pake/net/error.h"
#include "pake/net/handshake.h"
#include "process/problem.h"

namespace pake::cli {

/// @param start  the command that starts the other side, as a hint if nobody listens; or ""
[[nodiscard]] Problem cannot_connect(const net::Address& address, const net::Error& error, const std::string& start);
[[nodiscard]] Problem cannot_listen(const net::Address& address, const net::Error& error);

/// Words that depend on what was to be proved: a code or a password.
struct HandshakeWords {
  Problem wrong_secret;  // said if the other side did not prove the secret, or says that we did not
  std::string busy;      // who is in the way when it is throttled: "somebody else is trying this code"
};
[[nodiscard]] Problem no_channel(const net::HandshakeError& error, const HandshakeWords& words);

/// The key stretching of a login or a registration could not run.
[[nodiscard]] Problem no_memory_to_stretch();

/// How a channel ended that did not end well.
[[nodiscard]] Problem channel_ended(const net::LinkEnd& end);
/// The same as far as a stream of the channel shows it.
[[nodiscard]] Problem channel_cut();
/// Why a stream of the channel gives nothing more; a server that refuses its service says so.
[[nodiscard]] Problem stream_ended(const net::Error& error);

}  // namespace pake::cli
