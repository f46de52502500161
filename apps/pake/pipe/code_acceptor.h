// Waiting for the one who knows the code.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pake/channel/key_cache.h"
#include "pake/identity/code.h"
#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/clock.h"
#include "pake/net/endpoint.h"
#include "pake/net/loops.h"
#include "pipe/trace.h"
#include "process/problem.h"

namespace pake::cli::pipe {

/// Somebody who has proved the code.
struct AuthenticatedPeer {
  net::Address address;
  std::shared_ptr<net::ChannelLink> link;
};

struct CodeAcceptorOptions {
  std::size_t silent = 64;               // callers at once that have said nothing yet
  std::size_t tries = 1;                 // wrong ones before the code is used up: so many may be answered at once
  std::string start = "pake listen";     // makes another code, as a hint names it
  std::string selector = {};             // public, in front of the code; empty: none
  net::Deadline deadline = net::kNever;  // until when somebody may come
  std::optional<Trace>* trace = nullptr;
  std::function<void()>* stop = nullptr;  // is set to what ends the wait at once, while it lasts
};

/// Answers callers until one has proved the code, or all tries are used up; then the port is closed and the others are
/// cut off. From the turn on in which a finish verifies nobody is answered.
/// @param cache  of the loop; it outlives the channel
/// @return the peer; or kExitAuthFailed, or kExitCutShort at the deadline
[[nodiscard]] net::Awaitable<Expected<AuthenticatedPeer>> wait_for_peer(net::Loop& loop, net::Listener listener,
                                                                        identity::Code code, channel::KeyCache& cache,
                                                                        CodeAcceptorOptions options);

}  // namespace pake::cli::pipe
