// Two streams in memory, each of which reads what the other one writes: how two loops pass bytes to each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "pake/net/address.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"

namespace pake::server {

/// So many bytes a direction wait for a reader; a writer who has more waits.
inline constexpr std::size_t kBridgeBuffer = 32 * 1024;

class BridgeState;

/// To cut a bridge from outside. Any thread.
class BridgeCut {
 public:
  BridgeCut() = default;
  explicit BridgeCut(std::weak_ptr<BridgeState> state) : state_(std::move(state)) {}
  /// Both ends read Error::reset. Does nothing if they have gone.
  void cut() const;
  /// How many bytes have passed, both ways.
  [[nodiscard]] std::uint64_t passed() const;
  [[nodiscard]] bool has_gone() const noexcept { return state_.expired(); }

 private:
  std::weak_ptr<BridgeState> state_;
};

/// Each end belongs to its loop. An end that goes without shutdown_write resets the other one; `reset` passes its code
/// on.
struct Bridge {
  std::unique_ptr<net::Stream> first, second;
  BridgeCut cut;
};

/// @param first, second  the loops of the two ends; they outlive them
/// @param peer           what both ends name as their peer
/// @param most           so many bytes pass, both ways together; then it is cut
[[nodiscard]] Bridge make_bridge(net::Loop& first, net::Loop& second, const net::Address& peer,
                                 std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

}  // namespace pake::server
