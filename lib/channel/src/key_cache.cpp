#include "pake/channel/key_cache.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pake/channel/cached_key.h"
#include "pake/crypto/aead.h"

namespace pake::channel {
namespace {

crypto::Aead aead_of(AeadId id) noexcept {
  return id == AeadId::aes_256_gcm ? crypto::Aead::aes_256_gcm : crypto::Aead::chacha20_poly1305;
}

}  // namespace

struct KeyCache::Slot {
  std::optional<crypto::AeadKey> key;
  std::uint64_t owner = 0;  // the ticket it was filled for, 0: nobody's
  bool used_lately = false;
};

KeyCache::KeyCache(std::size_t capacity) : slots_(std::max<std::size_t>(capacity, 1)) {}
KeyCache::~KeyCache() = default;

std::size_t KeyCache::size() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(slots_, [](const Slot& slot) { return slot.key.has_value(); }));
}

// A clock: the hand passes once over whatever was used since it came by last.
std::size_t KeyCache::free_slot() noexcept {
  while (std::exchange(slots_[hand_].used_lately, false)) hand_ = (hand_ + 1) % slots_.size();
  return std::exchange(hand_, (hand_ + 1) % slots_.size());
}

CachedKey::CachedKey(KeyCache& cache, AeadId aead, TrafficKey key) noexcept
    : cache_(&cache), aead_(aead), key_(std::move(key)) {}

CachedKey::CachedKey(CachedKey&& other) noexcept
    : cache_(other.cache_),
      ticket_(std::exchange(other.ticket_, 0)),
      slot_(other.slot_),
      aead_(other.aead_),
      key_(std::move(other.key_)) {}

CachedKey& CachedKey::operator=(CachedKey&& other) noexcept {
  if (this != &other) {
    forget_expanded();
    cache_ = other.cache_;
    ticket_ = std::exchange(other.ticket_, 0);
    slot_ = other.slot_;
    aead_ = other.aead_;
    key_ = std::move(other.key_);
  }
  return *this;
}

crypto::AeadKey& CachedKey::expanded() {
  if (auto& slot = cache_->slots_[slot_]; ticket_ != 0 && slot.owner == ticket_ && slot.key) {
    slot.used_lately = true;
    return *slot.key;
  }
  slot_ = static_cast<std::uint32_t>(cache_->free_slot());
  ticket_ = ++cache_->last_ticket_;
  auto& slot = cache_->slots_[slot_];
  slot.owner = ticket_;
  slot.used_lately = true;
  return slot.key.emplace(aead_of(aead_), key_.reveal().first<crypto::kAeadKeySize>());
}

void CachedKey::replace(TrafficKey key) noexcept {
  forget_expanded();
  key_ = std::move(key);
}

void CachedKey::forget_expanded() noexcept {
  const auto ticket = std::exchange(ticket_, 0);
  if (ticket == 0 || cache_->slots_[slot_].owner != ticket) return;
  cache_->slots_[slot_] = {};
}

}  // namespace pake::channel
