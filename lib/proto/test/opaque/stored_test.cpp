#include "pake/proto/opaque/stored.h"

#include <gtest/gtest.h>

#include "device.h"
#include "pake/proto/opaque/server.h"
#include "pake/testing/hex.h"
#include "rig.h"

namespace pake::opaque {
namespace {

using crypto::KsfProfile;
using testing::hex;

class Stored : public ::testing::TestWithParam<SuiteId> {
 protected:
  const SuiteId suite_ = GetParam();
  testing::SeededRng rng_{5};

  [[nodiscard]] Buffer record(EpochNumber epoch = 0x01020304) {
    return StoredRecord{
        .suite = suite_, .ksf = KsfProfile::small, .epoch = epoch, .record = fake_record(suite_, rng_).value()}
        .encode();
  }
  [[nodiscard]] StoredKeys keys(EpochNumber epoch = 0x01020304) {
    return StoredKeys::generate(suite_, KsfProfile::rfc9106_2, epoch, rng_).value();
  }
};
INSTANTIATE_TEST_SUITE_P(EverySuite, Stored, ::testing::ValuesIn(kAllSuites));

TEST_P(Stored, RecordsComeBack) {
  const auto bytes = record();
  EXPECT_EQ(bytes.size(), StoredRecord::size(suite_));
  EXPECT_EQ(hex(Bytes(bytes).first(kStoredHeaderSize)),
            "70616b65"
            "01"
            "01"
            "0" +
                std::to_string(static_cast<int>(suite_)) +
                "04"
                "01020304");
  const auto decoded = StoredRecord::decode(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->suite, suite_);
  EXPECT_EQ(decoded->ksf, KsfProfile::small);
  EXPECT_EQ(decoded->epoch, 0x01020304U);
  EXPECT_EQ(decoded->encode(), bytes);
}

TEST_P(Stored, KeysComeBack) {
  const auto original = keys();
  const auto bytes = original.encode();
  EXPECT_EQ(bytes.size(), StoredKeys::size(suite_));
  EXPECT_EQ(hex(bytes.reveal().first(kStoredHeaderSize)),
            "70616b65"
            "02"
            "01"
            "0" +
                std::to_string(static_cast<int>(suite_)) +
                "02"
                "01020304");
  const auto decoded = StoredKeys::decode(bytes.reveal());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->ksf, KsfProfile::rfc9106_2);
  EXPECT_EQ(hex(decoded->keys.public_key()), hex(original.keys.public_key()));
  EXPECT_EQ(hex(decoded->encode().reveal()), hex(bytes.reveal()));
}

TEST_P(Stored, OfAnotherLengthAreMalformed) {
  const auto check = [](Bytes bytes, auto&& decode) {
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_EQ(decode(bytes.first(size)), Errc::malformed) << size;
    auto longer = to_buffer(bytes);
    longer.push_back(0);
    EXPECT_EQ(decode(longer), Errc::malformed);
  };
  check(record(), [](Bytes bytes) { return StoredRecord::decode(bytes).error(); });
  check(keys().encode().reveal(), [](Bytes bytes) { return StoredKeys::decode(bytes).error(); });
}

// A changed byte of the header makes the object another kind of thing, or a thing of another suite, profile or epoch:
// never the same thing. What is behind the header is the seal's to protect.
TEST_P(Stored, AChangedHeaderIsSeen) {
  const auto check = [&](const Buffer& bytes, auto&& recode) {
    for (std::size_t at = 0; at < kStoredHeaderSize; ++at)
      for (int change = 1; change < 256; ++change) {
        auto changed = bytes;
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ change);
        const std::optional<Buffer> again = recode(changed);
        if (at < 6) {
          EXPECT_EQ(again, std::nullopt) << "magic, kind or version, byte " << at;
        } else if (again) {
          EXPECT_EQ(*again, changed) << "byte " << at;
        }
      }
  };
  check(record(), [](Bytes bytes) -> std::optional<Buffer> {
    const auto decoded = StoredRecord::decode(bytes);
    return decoded ? std::optional(decoded->encode()) : std::nullopt;
  });
  check(to_buffer(keys().encode().reveal()), [](Bytes bytes) -> std::optional<Buffer> {
    const auto decoded = StoredKeys::decode(bytes);
    return decoded ? std::optional(to_buffer(decoded->encode().reveal())) : std::nullopt;
  });
}

TEST_P(Stored, UnknownVersionsSuitesAndProfilesAreMalformed) {
  const auto bytes = record();
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto changed = bytes;
    changed[at] = value;
    return StoredRecord::decode(changed);
  };
  for (const auto version : std::initializer_list<std::uint8_t>{0, 2, 255})
    EXPECT_EQ(with(5, version).error(), Errc::malformed);
  for (const auto suite : std::initializer_list<std::uint8_t>{0, 6, 255})
    EXPECT_EQ(with(6, suite).error(), Errc::malformed);
  for (const auto ksf : std::initializer_list<std::uint8_t>{0, 5, 255})
    EXPECT_EQ(with(7, ksf).error(), Errc::malformed);
}

TEST_P(Stored, AKeyRingHoldsEpochsSideBySide) {
  KeyRing ring;
  EXPECT_EQ(ring.activate(1).error(), Errc::misuse);
  EXPECT_EQ(ring.current(suite_), nullptr);
  EXPECT_EQ(ring.credential(suite_, std::nullopt).error(), Errc::unavailable);

  auto first = keys(1), second = keys(2);
  const auto first_key = hex(first.keys.public_key()), second_key = hex(second.keys.public_key());
  EXPECT_TRUE(ring.add(std::move(first)));
  EXPECT_TRUE(ring.add(std::move(second)));
  EXPECT_EQ(ring.add(keys(2)).error(), Errc::misuse);
  EXPECT_EQ(ring.current(suite_), nullptr);

  EXPECT_TRUE(ring.activate(1));
  EXPECT_EQ(ring.current(suite_)->epoch, 1U);
  EXPECT_TRUE(ring.activate(2));
  EXPECT_EQ(ring.current(suite_)->epoch, 2U);
  EXPECT_EQ(ring.activate(3).error(), Errc::misuse);

  // A record leads to the keys it was made under, whichever epoch is current; an unknown name to the current ones.
  EXPECT_EQ(hex(ring.credential(suite_, record(1))->keys->public_key()), first_key);
  EXPECT_EQ(hex(ring.credential(suite_, record(2))->keys->public_key()), second_key);
  const auto unknown = ring.credential(suite_, std::nullopt);
  EXPECT_EQ(hex(unknown->keys->public_key()), second_key);
  EXPECT_EQ(unknown->record.encode(), ring.current(suite_)->fake);
  EXPECT_EQ(unknown->record.ksf, KsfProfile::rfc9106_2);

  EXPECT_EQ(ring.credential(suite_, record(3)).error(), Errc::unavailable);
  EXPECT_EQ(ring.credential(suite_, Bytes()).error(), Errc::unavailable);
  const auto other_suite = suite_ == SuiteId::p256 ? SuiteId::p384 : SuiteId::p256;
  EXPECT_EQ(ring.credential(other_suite, record(1)).error(), Errc::unavailable);
  EXPECT_EQ(ring.find(other_suite, 1), nullptr);
}

TEST_P(Stored, AKeyRingRefusesAFakeRecordThatIsNotOfTheKeys) {
  auto device = std::make_shared<const Device>(std::move(keys(1).keys));
  KeyRing ring;
  EXPECT_EQ(ring.add({.epoch = 1, .keys = device, .fake = record(2)}).error(), Errc::misuse);
  EXPECT_EQ(ring.add({.epoch = 1, .keys = device, .fake = Buffer()}).error(), Errc::misuse);
  EXPECT_TRUE(ring.add({.epoch = 1, .keys = device, .fake = record(1)}));
}

}  // namespace
}  // namespace pake::opaque
