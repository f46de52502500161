// One direction's key in the cache of its loop.
#pragma once

#include <cstdint>

#include "pake/base/export.h"
#include "pake/channel/key_cache.h"
#include "pake/channel/keys.h"
#include "pake/crypto/aead.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

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
