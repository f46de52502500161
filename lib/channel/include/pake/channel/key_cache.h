// Where the expanded keys of busy channels live: an idle direction keeps 44 bytes and a counter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "pake/base/export.h"
#include "pake/channel/keys.h"
#include "pake/crypto/aead.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// At most `capacity` expanded keys, about 1 kB each, made when a direction is used and wiped when another needs the
/// place more. One for every loop: it is not thread-safe, and it outlives the channels that use it.
class KeyCache {
 public:
  static constexpr std::size_t kDefaultCapacity = 256;  // of directions: 128 channels busy both ways

  /// @param capacity  at least 1
  explicit KeyCache(std::size_t capacity = kDefaultCapacity);
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;
  ~KeyCache() = default;

  /// How many expanded keys there are now.
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  friend class CachedKey;

  struct Slot {
    std::optional<crypto::AeadKey> key;
    std::uint64_t owner = 0;  // the ticket it was filled for, 0: nobody's
    bool used_lately = false;
  };

  [[nodiscard]] std::size_t free_slot() noexcept;

  std::vector<Slot> slots_;
  std::size_t hand_ = 0;
  std::uint64_t last_ticket_ = 0;
};

/// A direction's traffic key, expanded in a cache while it is busy. Moved, never copied; wiped, there too, when it
/// goes.
class CachedKey {
 public:
  CachedKey(KeyCache& cache, AeadId aead, TrafficKey key) noexcept;
  CachedKey(CachedKey&& other) noexcept;
  CachedKey& operator=(CachedKey&& other) noexcept;
  ~CachedKey() { forget_expanded(); }

  [[nodiscard]] const TrafficKey& key() const noexcept { return key_; }
  /// Valid until another key of the cache is asked for. Allocates only if the key was not in the cache.
  [[nodiscard]] crypto::AeadKey& expanded();
  /// Goes on with another key.
  void replace(TrafficKey key) noexcept;

 private:
  void forget_expanded() noexcept;

  KeyCache* cache_;
  std::uint64_t ticket_ = 0;  // 0: never expanded
  std::uint32_t slot_ = 0;
  AeadId aead_;
  TrafficKey key_;
};

}  // namespace pake::channel

PAKE_EXPORT_END
