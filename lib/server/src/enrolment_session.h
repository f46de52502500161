// What a channel by invitation code is for: choosing a password, and nothing else.
#pragma once

#include <memory>

#include "pake/net/awaitable.h"
#include "pake/net/handshake.h"
#include "pake/net/loops.h"
#include "state.h"
#include "visit.h"

namespace pake::server {

/// Serves a channel that was opened by a code, to its end: no service, no ticket, one registration.
[[nodiscard]] net::Awaitable<void> serve_enrolment(std::shared_ptr<State> state, net::Loop& loop, const Visit& visit,
                                                   net::ServerChannel& channel);

}  // namespace pake::server
