// Which tickets and sessions are still those of their users: the changes younger than a ticket's life, in memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "pake/store/rows.h"

namespace pake::server {

/// Any thread.
class Generations {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// A view older than this decides nothing.
  static constexpr std::chrono::seconds kMaxAge{5};

  enum class Verdict : std::uint8_t {
    current,     // nothing newer is known
    superseded,  // the user's generation has moved on, or he is not enabled
    ask_store,   // the view is too old, or older than this generation
  };

  /// Takes in changes, in their order.
  void apply(std::span<const store::GenerationChange> changes);
  /// The view is complete as of `read_at`, when the store was asked.
  void refreshed(Instant read_at);
  /// Forgets what is older than any ticket.
  void forget_before(store::Time oldest);

  [[nodiscard]] Verdict look(std::string_view name, std::uint64_t generation, Instant now) const;
  [[nodiscard]] Instant refreshed_at() const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Latest {
    std::uint64_t generation;
    store::UserState state;
    store::Time at;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Latest, std::less<>> latest_;
  Instant refreshed_at_ = Instant::min();
};

}  // namespace pake::server
