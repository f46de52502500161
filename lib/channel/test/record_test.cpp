#include "pake/channel/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"
#include "record_access.h"

namespace pake::channel {
namespace {

using testing::hex;
using testing::unhex;

constexpr AeadId kAeads[] = {AeadId::aes_256_gcm, AeadId::chacha20_poly1305};

/// 00 01 02 .. 2b, the key of every vector below.
TrafficKey counting_key() {
  return TrafficKey::make([](MutableBytes out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i);
  });
}

Buffer seal(RecordSealer& sealer, FrameType type, Bytes plaintext) {
  Buffer record(plaintext.size() + kRecordOverhead);
  std::ranges::copy(plaintext, record.begin() + FrameHeader::kSize);
  EXPECT_TRUE(sealer.seal(type, record));
  return record;
}

struct Pair {
  explicit Pair(AeadId aead, std::uint64_t sequence = 0)
      : sealer(cache, aead, counting_key()), opener(cache, aead, counting_key()) {
    RecordTestAccess::begin_at(sealer, sequence);
    RecordTestAccess::begin_at(opener, sequence);
  }
  Buffer seal(std::string_view text, FrameType type = FrameType::data) {
    return channel::seal(sealer, type, as_bytes(text));
  }
  /// The text, or the error's name.
  std::string open(Buffer record) {
    const auto opened = opener.open(record);
    return opened ? std::string(as_text(opened->plaintext)) : std::string(to_string(opened.error()));
  }

  KeyCache cache;
  RecordSealer sealer;
  RecordOpener opener;
};

struct Vector {
  std::uint64_t sequence;
  AeadId aead;
  FrameType type;
  std::string_view plaintext, record;
};

// Computed by tests/interop/channel/wire.py, which knows docs/wire.md and none of this code.
constexpr Vector kVectors[] = {
    {0, AeadId::aes_256_gcm, FrameType::data, "hello", "10000015ba5fca1c03b48e347ce19c923c883ea8b6a96825a0"},
    {kRatchetInterval - 1, AeadId::aes_256_gcm, FrameType::data, "hello",
     "100000152a6f28e486e741bec31b956d767bfdd40ce85ee730"},
    {kRatchetInterval, AeadId::aes_256_gcm, FrameType::data, "hello",
     "100000159bf8cbf7c074ace3e6907a8293d880d0559732462f"},
    {kMaxRecords - 1, AeadId::aes_256_gcm, FrameType::close, "\1", "110000113d17f76f5915dd1541e69ad9834c364638"},
    {0, AeadId::chacha20_poly1305, FrameType::data, "hello", "100000151b82e4107e6862f5f8690a8269e8284680c832fba0"},
    {kRatchetInterval - 1, AeadId::chacha20_poly1305, FrameType::data, "hello",
     "100000153b1fb1a598591a0baa6b58b5004bd72b4bd3577c79"},
    {kRatchetInterval, AeadId::chacha20_poly1305, FrameType::data, "hello",
     "10000015f70fffee57c8fdd9b92e8da29c81e93f205883d005"},
    {kMaxRecords - 1, AeadId::chacha20_poly1305, FrameType::close, "\1", "11000011ca0b57e64dcc1c423071758837054be7c6"},
};

TEST(Record, GivesTheBytesThatThePageGives) {
  for (const auto& vector : kVectors) {
    Pair pair(vector.aead, vector.sequence);
    EXPECT_EQ(hex(pair.seal(vector.plaintext, vector.type)), vector.record) << vector.sequence;
    EXPECT_EQ(pair.open(unhex(vector.record)), vector.plaintext) << vector.sequence;
  }
}

TEST(Record, RatchetsOnEachMultipleOfTheInterval) {
  for (const auto aead : kAeads) {
    Pair pair(aead, kRatchetInterval - 1);
    for (const auto* text : {"before", "first behind", "second behind"}) EXPECT_EQ(pair.open(pair.seal(text)), text);
    RecordTestAccess::begin_at(pair.sealer, 2 * kRatchetInterval);
    RecordTestAccess::begin_at(pair.opener, 2 * kRatchetInterval);
    EXPECT_EQ(pair.open(pair.seal("twice")), "twice");
  }
  Pair twice(AeadId::aes_256_gcm, kRatchetInterval);
  static_cast<void>(twice.seal("once"));
  RecordTestAccess::begin_at(twice.sealer, 2 * kRatchetInterval);
  EXPECT_EQ(hex(twice.seal(std::string(1, '\0'), FrameType::close)), "110000110f2352f554d9f10127c8a835f85f5248e1");
}

TEST(Record, GoesOnThroughARealRatchet) {
  for (const auto aead : kAeads) {
    Pair pair(aead);
    Buffer record(1 + kRecordOverhead);
    for (std::uint64_t i = 0; i < kRatchetInterval + 2; ++i) {
      record[FrameHeader::kSize] = static_cast<std::uint8_t>(i);
      ASSERT_TRUE(pair.sealer.seal(FrameType::data, record)) << i;
      ASSERT_TRUE(pair.opener.open(record)) << i;
      ASSERT_EQ(record[FrameHeader::kSize], static_cast<std::uint8_t>(i));
    }
  }
}

TEST(Record, EndsAfter2To48Records) {
  Pair pair(AeadId::aes_256_gcm, kMaxRecords - 1);
  EXPECT_EQ(pair.sealer.remaining(), 1);
  EXPECT_EQ(pair.open(pair.seal("last")), "last");
  EXPECT_EQ(pair.sealer.remaining(), 0);
  Buffer record(1 + kRecordOverhead);
  EXPECT_EQ(pair.sealer.seal(FrameType::data, record), fail(Errc::exhausted));
  EXPECT_EQ(pair.open(Pair(AeadId::aes_256_gcm).seal("one more")), "exhausted");
}

TEST(Record, TakesEverySizeOfThePageAndNoOther) {
  Pair pair(AeadId::aes_256_gcm);
  for (const std::size_t size : {std::size_t{1}, kMaxPlaintextSize}) {
    const std::string text(size, 'x');
    EXPECT_EQ(pair.open(pair.seal(text)), text);
  }
  for (const std::size_t size : {std::size_t{0}, kRecordOverhead - 1, kRecordOverhead, kMaxRecordSize + 1}) {
    Buffer record(size);
    EXPECT_EQ(pair.sealer.seal(FrameType::data, record), fail(Errc::misuse)) << size;
    EXPECT_EQ(pair.sealer.seal(FrameType::close, record), fail(Errc::misuse)) << size;
  }
  Buffer two(2 + kRecordOverhead), one(1 + kRecordOverhead);
  EXPECT_EQ(pair.sealer.seal(FrameType::close, two), fail(Errc::misuse));
  EXPECT_EQ(pair.sealer.seal(FrameType::alert, one), fail(Errc::misuse));
  EXPECT_EQ(pair.open(pair.seal("a caller's bug uses up no number")), "a caller's bug uses up no number");
}

TEST(Record, NothingFollowsAClose) {
  Pair pair(AeadId::chacha20_poly1305);
  EXPECT_EQ(pair.open(pair.seal("\2", FrameType::close)), "\2");
  Buffer record(1 + kRecordOverhead);
  EXPECT_EQ(pair.sealer.seal(FrameType::data, record), fail(Errc::misuse));
  EXPECT_EQ(pair.open(Pair(AeadId::chacha20_poly1305, 1).seal("more")), "misuse");
}

TEST(Record, EveryBitMattersAndTheFirstErrorIsTheLast) {
  for (const auto aead : kAeads) {
    const auto record = Pair(aead).seal("some text");
    for (std::size_t bit = 0; bit < 8 * record.size(); ++bit) {
      Pair pair(aead);
      auto flipped = record;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      const auto opened = pair.opener.open(flipped);
      ASSERT_FALSE(opened) << bit;
      EXPECT_EQ(opened.error(), bit < 8 * FrameHeader::kSize ? Errc::malformed : Errc::auth_failed) << bit;
      if (bit >= 8 * FrameHeader::kSize) {
        const auto text = Bytes(flipped).subspan(FrameHeader::kSize, flipped.size() - kRecordOverhead);
        EXPECT_TRUE(std::ranges::all_of(text, [](auto byte) { return byte == 0; })) << bit;
      }
      EXPECT_EQ(pair.open(record), "misuse") << bit;
    }
  }
}

// A header that lies about the type or about the length, within what the page allows.
TEST(Record, TheHeaderIsAuthenticated) {
  Pair pair(AeadId::aes_256_gcm);
  auto record = pair.seal("x");
  record[0] = std::to_underlying(FrameType::close);
  EXPECT_EQ(pair.open(record), "auth_failed");
}

TEST(Record, ATruncatedOrExtendedRecordDoesNotOpen) {
  const auto record = Pair(AeadId::aes_256_gcm).seal("some text");
  for (std::size_t size = 0; size < record.size(); ++size) {
    auto shorter = to_buffer(Bytes(record).first(size));
    EXPECT_EQ(Pair(AeadId::aes_256_gcm).open(shorter), "malformed") << size;
    if (size < 1 + kRecordOverhead) continue;
    shorter[3] = static_cast<std::uint8_t>(size - FrameHeader::kSize);
    EXPECT_EQ(Pair(AeadId::aes_256_gcm).open(shorter), "auth_failed") << size;
  }
  auto longer = record;
  longer.push_back(0);
  EXPECT_EQ(Pair(AeadId::aes_256_gcm).open(longer), "malformed");
  longer[3] = static_cast<std::uint8_t>(longer.size() - FrameHeader::kSize);
  EXPECT_EQ(Pair(AeadId::aes_256_gcm).open(longer), "auth_failed");
}

TEST(Record, ReplayReorderAndLossDoNotOpen) {
  for (const auto aead : kAeads) {
    Pair origin(aead);
    const std::vector<Buffer> records = {origin.seal("zero"), origin.seal("one"), origin.seal("two")};
    {
      Pair replay(aead);
      EXPECT_EQ(replay.open(records[0]), "zero");
      EXPECT_EQ(replay.open(records[0]), "auth_failed");
    }
    EXPECT_EQ(Pair(aead).open(records[1]), "auth_failed");
    {
      Pair loss(aead);
      EXPECT_EQ(loss.open(records[0]), "zero");
      EXPECT_EQ(loss.open(records[2]), "auth_failed");
      EXPECT_EQ(loss.open(records[1]), "misuse");
    }
  }
}

TEST(Record, OtherKeysAndOtherAeadsDoNotOpen) {
  const auto record = Pair(AeadId::aes_256_gcm).seal("some text");
  EXPECT_EQ(Pair(AeadId::chacha20_poly1305).open(record), "auth_failed");
  for (std::size_t byte = 0; byte < kTrafficKeySize; ++byte) {
    KeyCache cache;
    auto other = to_buffer(counting_key().reveal());
    other[byte] ^= 1U;
    RecordOpener opener(cache, AeadId::aes_256_gcm, TrafficKey::copy_of(Bytes(other).first<kTrafficKeySize>()));
    auto copy = record;
    EXPECT_EQ(opener.open(copy).error(), Errc::auth_failed) << byte;
  }
}

}  // namespace
}  // namespace pake::channel
