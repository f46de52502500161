// Where the expanded keys of busy channels live: an idle direction keeps 44 bytes and a counter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

class CachedKey;

/// At most `capacity` expanded keys, about 1 kB each, made when a direction is used and wiped when another needs the
/// place more. One for every loop: it is not thread-safe, and it outlives the channels that use it.
class KeyCache {
 public:
  static constexpr std::size_t kDefaultCapacity = 256;  // of directions: 128 channels busy both ways

  /// @param capacity  at least 1
  explicit KeyCache(std::size_t capacity = kDefaultCapacity);
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;
  ~KeyCache();

  /// How many expanded keys there are now.
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  friend class CachedKey;

  struct PAKE_HIDDEN Slot;

  [[nodiscard]] std::size_t free_slot() noexcept;

  std::vector<Slot> slots_;
  std::size_t hand_ = 0;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace pake::channel

PAKE_EXPORT_END
