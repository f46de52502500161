#include "pake/server/generations.h"

#include <algorithm>

namespace pake::server {

void Generations::apply(std::span<const store::GenerationChange> changes) {
  const std::scoped_lock lock(mutex_);
  for (const auto& change : changes)
    latest_.insert_or_assign(change.name,
                             Latest{.generation = change.generation, .state = change.state, .at = change.at});
}

void Generations::refreshed(Instant read_at) {
  const std::scoped_lock lock(mutex_);
  refreshed_at_ = std::max(refreshed_at_, read_at);
}

void Generations::forget_before(store::Time oldest) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(latest_, [&](const auto& entry) { return entry.second.at < oldest; });
}

Generations::Verdict Generations::look(std::string_view name, std::uint64_t generation, Instant now) const {
  const std::scoped_lock lock(mutex_);
  const auto found = latest_.find(name);
  if (found != latest_.end()) {
    const auto& latest = found->second;
    const bool is_enabled = latest.state == store::UserState::enabled;
    // What is known to be over stays over, however old the view.
    if (generation < latest.generation || (generation == latest.generation && !is_enabled)) return Verdict::superseded;
    if (generation > latest.generation) return Verdict::ask_store;
  }
  if (refreshed_at_ == Instant::min() || now - refreshed_at_ > kMaxAge) return Verdict::ask_store;
  return Verdict::current;
}

Generations::Instant Generations::refreshed_at() const {
  const std::scoped_lock lock(mutex_);
  return refreshed_at_;
}

std::size_t Generations::size() const {
  const std::scoped_lock lock(mutex_);
  return latest_.size();
}

}  // namespace pake::server
