// How a user's record is made or replaced inside a channel, the server's side: enrolling, changing a password,
// migrating a record follow this one path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "pake/channel/account.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "state.h"

namespace pake::server {

/// In which channel it happens.
struct AccountChannel {
  std::string user;
  EnteredBy by{};
  std::string selector = {};  // of the code
  std::uint64_t generation = 0;
  std::shared_ptr<net::ChannelLink> link;
  bool has_answered = false;  // one registration answer a channel
  /// Of a session, which goes on under the generation that its own change makes; null for a code's channel.
  std::shared_ptr<SessionInfo> session = {};
};

/// Serves one stream.
/// @param channel  outlives it
/// @return whether the user's record was replaced
[[nodiscard]] net::Awaitable<bool> serve_account_stream(std::shared_ptr<State> state, net::Loop& loop,
                                                        AccountChannel& channel, std::unique_ptr<net::Stream> stream);

}  // namespace pake::server
