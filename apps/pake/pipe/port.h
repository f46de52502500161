// A port of one side at a port of the other, over the channel of two people: `listen --service` and `dial -L`.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/endpoint.h"
#include "pake/net/loops.h"
#include "process/problem.h"

namespace pake::cli::pipe {

/// The service under which the dialling side opens a stream for each connection.
inline constexpr const char* kPortService = "port";

/// Leads each stream that the other side opens to `address`, and to nothing else, until the channel has ended. What
/// cannot be reached is reset.
[[nodiscard]] net::Awaitable<Expected<void>> offer_port(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                                        net::Address address);

/// Whose processes may connect to a port on loopback.
enum class Admits : std::uint8_t { own_user, any_user };

/// Opens a stream for each connection to one of `listeners`, until the channel has ended.
[[nodiscard]] net::Awaitable<Expected<void>> use_port(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                                      std::vector<net::Listener> listeners, Admits admits);

}  // namespace pake::cli::pipe
