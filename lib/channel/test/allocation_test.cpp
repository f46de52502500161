// What the channel takes from the heap, and when.
#include <gtest/gtest.h>

#include <array>

#include "pake/channel/record.h"
#include "pake/testing/allocations.h"

namespace pake::channel {
namespace {

using testing::allocations;

TrafficKey some_key() {
  return TrafficKey::make([](MutableBytes out) { out[0] = 1; });
}

TEST(Allocation, ARecordTakesNothingFromTheHeap) {
  for (const auto aead : {AeadId::aes_256_gcm, AeadId::chacha20_poly1305}) {
    KeyCache cache;
    RecordSealer sealer(cache, aead, some_key());
    RecordOpener opener(cache, aead, some_key());
    std::array<std::uint8_t, kMaxRecordSize> record{};
    const auto pass_one = [&](std::size_t size) {
      const auto bytes = MutableBytes(record).first(size);
      ASSERT_TRUE(sealer.seal(FrameType::data, bytes));
      ASSERT_TRUE(opener.open(bytes));
    };
    const auto cold = allocations().calls;
    pass_one(21);
    EXPECT_GT(allocations().calls, cold) << "what counts nothing proves nothing";
    const auto warm = allocations().calls;
    for (const std::size_t size : {std::size_t{21}, std::size_t{1000}, kMaxRecordSize})
      for (int i = 0; i < 100; ++i) pass_one(size);
    EXPECT_EQ(allocations().calls, warm);
  }
}

}  // namespace
}  // namespace pake::channel
