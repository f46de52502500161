// What a node knows of the store's changes, and how it comes to know it: one reader a node.
#pragma once

#include <cstdint>
#include <functional>

#include "pake/server/accounts.h"
#include "pake/server/generations.h"
#include "pake/store/rows.h"

namespace pake::server {

/// Whether a session or a ticket of this generation ends by a change of its user.
[[nodiscard]] constexpr bool is_ended_by(const store::GenerationChange& change, std::uint64_t generation) noexcept {
  if (generation != change.generation) return generation < change.generation;
  return change.state != store::UserState::enabled;
}

class FeedReader {
 public:
  FeedReader(Accounts& accounts, Generations& generations) : accounts_(accounts), generations_(generations) {}

  /// Everything that a node must know before it lets anybody in.
  /// @param oldest  a change before it ends no ticket that is still good
  /// @param asked   when the reading begins: the view is complete as of then
  [[nodiscard]] store::StoreStatus read_all(store::Time oldest, Generations::Instant asked);
  /// What has changed since the last reading. `ended` is told of each user's last change of those that are read at
  /// once: it decides, he may be back already. What was told counts as read, whatever fails behind it.
  [[nodiscard]] store::StoreStatus read_changes(Generations::Instant asked,
                                                const std::function<void(const store::GenerationChange&)>& ended);

 private:
  Accounts& accounts_;
  Generations& generations_;
  std::uint64_t last_ = 0;
};

}  // namespace pake::server
