#include "pake/channel/key_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "pake/channel/cached_key.h"

namespace pake::channel {
namespace {

TrafficKey key_of(std::uint8_t byte) {
  return TrafficKey::make([byte](MutableBytes out) { std::ranges::fill(out, byte); });
}

/// What `key` computes: different for different keys.
std::array<std::uint8_t, 16> tag_of(CachedKey& key) {
  std::array<std::uint8_t, 16> tag{};
  key.expanded().seal(std::array<std::uint8_t, 12>{}, {}, {}, tag);
  return tag;
}

std::array<std::uint8_t, 16> fresh_tag_of(std::uint8_t byte) {
  KeyCache cache;
  CachedKey key(cache, AeadId::aes_256_gcm, key_of(byte));
  return tag_of(key);
}

TEST(KeyCache, NeverHoldsMoreThanItsCapacityAndNeverMixesKeys) {
  KeyCache cache(4);
  std::vector<CachedKey> keys;
  keys.reserve(10);
  for (std::uint8_t i = 0; i < 10; ++i) keys.emplace_back(cache, AeadId::aes_256_gcm, key_of(i));
  EXPECT_EQ(cache.size(), 0);
  for (int round = 0; round < 3; ++round)
    for (std::uint8_t i = 0; i < 10; ++i) {
      EXPECT_EQ(tag_of(keys[i]), fresh_tag_of(i));
      EXPECT_LE(cache.size(), 4);
    }
}

TEST(KeyCache, KeepsWhatIsInUse) {
  KeyCache cache(4);
  CachedKey busy(cache, AeadId::aes_256_gcm, key_of(1));
  auto* expanded = &busy.expanded();
  for (std::uint8_t i = 0; i < 20; ++i) {
    CachedKey other(cache, AeadId::aes_256_gcm, key_of(i));
    static_cast<void>(tag_of(other));
    EXPECT_EQ(&busy.expanded(), expanded);
  }
}

TEST(KeyCache, ForgetsAKeyWithItsOwner) {
  KeyCache cache(4);
  {
    CachedKey key(cache, AeadId::aes_256_gcm, key_of(1));
    static_cast<void>(tag_of(key));
    EXPECT_EQ(cache.size(), 1);
    auto moved = std::move(key);
    EXPECT_EQ(tag_of(moved), fresh_tag_of(1));
    EXPECT_EQ(cache.size(), 1);
    moved.replace(key_of(2));
    EXPECT_EQ(cache.size(), 0);
    EXPECT_EQ(tag_of(moved), fresh_tag_of(2));
    CachedKey assigned(cache, AeadId::aes_256_gcm, key_of(3));
    static_cast<void>(tag_of(assigned));
    EXPECT_EQ(cache.size(), 2);
    assigned = std::move(moved);
    EXPECT_EQ(cache.size(), 1);
    EXPECT_EQ(tag_of(assigned), fresh_tag_of(2));
  }
  EXPECT_EQ(cache.size(), 0);
}

}  // namespace
}  // namespace pake::channel
