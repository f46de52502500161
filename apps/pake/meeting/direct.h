// A way past the server, once two have met behind it: docs/wire.md, section 15.1. The code does not run again: what
// both sides derive from their channel takes its place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "meeting/via.h"
#include "pake/channel/key_cache.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "pipe/code_acceptor.h"
#include "pipe/trace.h"
#include "process/problem.h"

namespace pake::cli::meeting {

/// The service under which the side that joined opens the stream of these messages.
inline constexpr const char* kDirectService = "direct";

/// What both sides have agreed on. The channel through the server is to be closed; then this one is taken.
class DirectPath {
 public:
  class Search;
  explicit DirectPath(std::shared_ptr<Search> search) noexcept;
  DirectPath(DirectPath&&) noexcept;
  DirectPath& operator=(DirectPath&&) noexcept;
  ~DirectPath();

  /// Once. kExitCutShort if the other side does not come, a few seconds long.
  [[nodiscard]] net::Awaitable<Expected<pipe::AuthenticatedPeer>> take();

 private:
  std::shared_ptr<Search> search_;
};

struct DirectOptions {
  channel::KeyCache& cache;  // of the loop; it outlives the channel
  std::optional<pipe::Trace>& trace;
};

/// The side that joined, while the channel runs. Lasts as long as it takes to reach the other side or to be reached, at
/// most a few seconds.
/// @return nothing if neither reaches the other or the other side does not want it: the channel goes on as it is;
///         kExitProtocol
[[nodiscard]] net::Awaitable<Expected<std::optional<DirectPath>>> seek_direct_path(
    net::Loop& loop, std::shared_ptr<net::ChannelLink> link, DirectOptions options);

/// The side that waited, on the stream that the other one has opened for it.
[[nodiscard]] net::Awaitable<Expected<std::optional<DirectPath>>> answer_direct_path(
    net::Loop& loop, std::shared_ptr<net::ChannelLink> link, std::unique_ptr<net::Stream> stream,
    DirectOptions options);

/// Which side of a meeting.
enum class Came : std::uint8_t { first, second };  // who waited, who joined

/// Before that begins for which the two have met: looks for a direct way, unless one of them wants none, and says in a
/// note which way all passes from now on.
/// @param met  the other side, by a channel through the server that nobody has run yet
/// @return the other side by the channel that is left, which runs; kExitCutShort, kExitProtocol
[[nodiscard]] net::Awaitable<Expected<pipe::AuthenticatedPeer>> choose_way(net::Loop& loop, const MeetingPoint& point,
                                                                           pipe::AuthenticatedPeer met, Came came,
                                                                           DirectOptions options);

}  // namespace pake::cli::meeting
