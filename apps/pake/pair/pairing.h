// What both sides of `pake pair` do once the channel stands: docs/wire.md, section 13.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "pake/client/paired_keys.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "process/problem.h"

namespace pake::cli::pair {

/// What becomes of the key.
struct Destination {
  std::string label = {};                           // printed for another program; empty: kept
  std::string path = {};                            // of the file in which it is kept
  std::shared_ptr<client::PreparedKey> place = {};  // there
};

enum class Side : std::uint8_t { shows_code, types_code };

/// `pairs` in the user's state directory; exit code 9 if there is none.
[[nodiscard]] Expected<client::PairedKeys> paired_keys();
[[nodiscard]] Problem cannot_keep(const client::MemoryFailure& failure);

/// Exports a key from the channel, keeps or prints it on both sides, and closes the channel.
/// @return a problem unless both sides have said that they have it
[[nodiscard]] net::Awaitable<Expected<void>> leave_key(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                                       Destination destination, Side side);

}  // namespace pake::cli::pair
