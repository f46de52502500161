// Both sides of a meeting behind a server: docs/wire.md, section 15.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "meeting/via.h"
#include "pake/base/secret.h"
#include "pake/channel/key_cache.h"
#include "pake/channel/meeting.h"
#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "pipe/code_acceptor.h"
#include "process/problem.h"

namespace pake::cli::meeting {

/// Where one side waits.
struct Place {
  std::uint32_t selector = 0;
  channel::MeetingToken token{};
  net::Deadline until{};                // nobody waits longer
  std::unique_ptr<net::Stream> stream;  // to the server; null between two
};

/// A selector of the server's choice. Exit code 8 if it lets nobody meet, 5 if too many wait.
/// @param tries  how many may be led to this side: 1 to 5
[[nodiscard]] net::Awaitable<Expected<Place>> take_place(net::Loop& loop, MeetingPoint& point, std::size_t tries);

/// For a note, once the channel stands and it is known which way the bytes go.
[[nodiscard]] std::string connected_through(const MeetingPoint& point);
[[nodiscard]] std::string connected_directly(const net::Address& peer);

struct WaitOptions {
  std::size_t tries = 1;              // wrong ones before the secret is used up
  std::string name;                   // public, the hello's: the selector, or what both sides know each other again by
  std::string start = "pake listen";  // makes another code, as a hint names it; empty: what is no code
};

/// Answers whoever is led here, one after the other, until one has proved `secret` or all tries are used up.
/// @param cache  of the loop; it outlives the channel
/// @return the peer; or kExitAuthFailed, or kExitCutShort if nobody has come in time or the server is gone
[[nodiscard]] net::Awaitable<Expected<pipe::AuthenticatedPeer>> wait_for_peer(net::Loop& loop, MeetingPoint& point,
                                                                              Place& place, const SecretBuffer& secret,
                                                                              channel::KeyCache& cache,
                                                                              WaitOptions options);

/// Waits again at one's own place; until the deadline tries again if the server cannot be reached.
[[nodiscard]] net::Awaitable<Expected<void>> return_to(net::Loop& loop, MeetingPoint& point, Place& place,
                                                       net::Deadline deadline);

/// Once a channel stands: when it is cut, both sides may come back. False if the server does not let them.
[[nodiscard]] net::Awaitable<bool> keep(net::Loop& loop, MeetingPoint& point, const Place& place);

/// Whoever waits under `selector`, if it is a selector. Waits until the deadline if another is just being tried. Exit
/// code 4 if nobody waits there, 5 after too many wrong selectors, 8 as above.
[[nodiscard]] net::Awaitable<Expected<std::unique_ptr<net::Stream>>> join(net::Loop& loop, MeetingPoint& point,
                                                                          const std::string& selector,
                                                                          net::Deadline deadline);

}  // namespace pake::cli::meeting
