#include "pake/proto/opaque/stored.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "device.h"
#include "pake/proto/opaque/server.h"
#include "pake/testing/hex.h"
#include "rig.h"

namespace pake::opaque {
namespace {

const auto kName = as_bytes("alice");

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
  [[nodiscard]] RecordParameters parameters(EpochNumber epoch) const {
    return {.epoch = epoch, .suite = suite_, .ksf = KsfProfile::rfc9106_2};
  }
  [[nodiscard]] SuiteId another_suite() const { return suite_ == SuiteId::p256 ? SuiteId::p384 : SuiteId::p256; }
  /// The first of them current, without a table of shares.
  [[nodiscard]] KeyRing ring_of_two_epochs() {
    KeyRing ring(fake_key());
    EXPECT_TRUE(ring.add(keys(1)));
    EXPECT_TRUE(ring.add(keys(2)));
    EXPECT_TRUE(ring.activate(parameters(1)));
    return ring;
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
  KeyRing ring(fake_key());
  EXPECT_EQ(ring.activate(parameters(1)).error(), Errc::misuse);
  EXPECT_EQ(ring.current(suite_), nullptr);
  EXPECT_EQ(ring.credential(kName, std::nullopt).error(), Errc::unavailable);

  auto first = keys(1), second = keys(2);
  const auto first_key = hex(first.keys.public_key()), second_key = hex(second.keys.public_key());
  EXPECT_TRUE(ring.add(std::move(first)));
  EXPECT_TRUE(ring.add(std::move(second)));
  EXPECT_EQ(ring.add(keys(2)).error(), Errc::misuse);
  EXPECT_EQ(ring.current(suite_), nullptr);

  EXPECT_TRUE(ring.activate(parameters(1)));
  EXPECT_EQ(ring.current(suite_)->epoch, 1U);
  EXPECT_TRUE(ring.activate(parameters(2)));
  EXPECT_EQ(ring.current(suite_)->epoch, 2U);
  EXPECT_EQ(ring.activate(parameters(2)).error(), Errc::misuse);
  EXPECT_EQ(ring.activate(parameters(1)).error(), Errc::misuse);
  EXPECT_EQ(ring.activate(parameters(3)).error(), Errc::misuse);

  // A record leads to the keys it was made under, whichever epoch is current.
  for (const auto& [epoch, key] : {std::pair(1U, first_key), std::pair(2U, second_key)}) {
    const auto user = ring.credential(kName, record(epoch));
    EXPECT_EQ(user->found, Found::record);
    EXPECT_EQ(hex(user->keys->public_key()), key);
    EXPECT_EQ(user->record.ksf, KsfProfile::small);
  }
  // An unknown name stays where it is until the table says otherwise.
  const auto unknown = ring.credential(kName, std::nullopt);
  EXPECT_EQ(unknown->found, Found::nothing);
  EXPECT_EQ(hex(unknown->keys->public_key()), first_key);
  EXPECT_EQ(unknown->record.encode(), ring.find(suite_, 1)->fake);
  EXPECT_TRUE(ring.set_shares(crypto::with_share(ring.shares(), parameters(2), crypto::kWholeShare)));
  EXPECT_EQ(hex(ring.credential(kName, std::nullopt)->keys->public_key()), second_key);

  EXPECT_EQ(ring.credential({}, std::nullopt).error(), Errc::misuse);
  EXPECT_EQ(ring.find(another_suite(), 1), nullptr);
}

// One KE1 asked twice, before and after a new epoch became current: the answer of a name without a record stays under
// its key as that of a name with one does, until the table moves it.
TEST_P(Stored, ARotationDoesNotShowWhichNamesExist) {
  auto ring = ring_of_two_epochs();
  const auto stored = record(1);
  const auto ke1 = ClientLogin(suite_, secret("x")).generate_ke1(rng_)->ke1;
  const auto asked = [&](std::string_view name, std::optional<Bytes> found) {
    const auto user = ring.credential(as_bytes(name), found).value();
    const auto answered =
        ServerLogin(suite_, GuessPermit::uncounted_for_study())
            .generate_ke2(ke1, {.record = user.record.record, .credential_identifier = as_bytes(name)},
                          *user.keys->in_memory(), rng_)
            .value();
    // What an observer can compare: the evaluated message, and what the hello says beside KE2.
    return std::tuple(hex(Bytes(answered.ke2).first(sizes(suite_).Noe)), user.record.ksf, user.record.suite);
  };
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back("name " + std::to_string(i));
  const auto all = [&](std::optional<Bytes> found) {
    std::vector<decltype(asked("", std::nullopt))> answers;
    for (const auto& name : names) answers.push_back(asked(name, found));
    return answers;
  };
  const auto known = all(stored), unknown = all(std::nullopt);
  EXPECT_TRUE(ring.activate(parameters(2)));
  EXPECT_EQ(all(stored), known);
  EXPECT_EQ(all(std::nullopt), unknown);

  // Half of the users have moved; about half of the unknown names move with them, and none comes back.
  EXPECT_TRUE(ring.set_shares(crypto::with_share(ring.shares(), parameters(2), crypto::kWholeShare / 2)));
  const auto half_way = all(std::nullopt);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < names.size(); ++i) moved += half_way[i] != unknown[i];
  EXPECT_GT(moved, 2U);
  EXPECT_LT(moved, 18U);
  EXPECT_TRUE(ring.set_shares(crypto::with_share(ring.shares(), parameters(2), crypto::kWholeShare)));
  const auto over = all(std::nullopt);
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_NE(over[i], unknown[i]);
    if (half_way[i] != unknown[i]) {
      EXPECT_EQ(over[i], half_way[i]);
    }
  }
}

// Epoch, suite and profile of an unknown name are those of one entry of the table, never a mixture; the name decides.
TEST_P(Stored, AnUnknownNameIsDrawnEpochSuiteAndProfileAtOnce) {
  KeyRing ring(fake_key());
  EXPECT_TRUE(ring.add(keys(1)));
  EXPECT_TRUE(ring.add(StoredKeys::generate(another_suite(), KsfProfile::small, 2, rng_).value()));
  const FakeShare shares[] = {
      {parameters(1), crypto::kWholeShare},
      {{.epoch = 2, .suite = another_suite(), .ksf = KsfProfile::small}, crypto::kWholeShare / 2},
      {{.epoch = 1, .suite = suite_, .ksf = KsfProfile::scrypt_rfc9807}, crypto::kWholeShare / 4}};
  EXPECT_TRUE(ring.set_shares(shares));
  std::array<int, 3> counts{};
  for (int i = 0; i < 120; ++i) {
    const auto name = "name " + std::to_string(i);
    const auto unknown = ring.credential(as_bytes(name), std::nullopt).value();
    const RecordParameters drawn{
        .epoch = unknown.record.epoch, .suite = unknown.record.suite, .ksf = unknown.record.ksf};
    const auto entry = std::ranges::find(shares, drawn, &FakeShare::parameters) - std::begin(shares);
    ASSERT_LT(entry, 3) << name;
    EXPECT_EQ(unknown.keys->suite(), drawn.suite);
    ++counts.at(static_cast<std::size_t>(entry));
    EXPECT_EQ(ring.credential(as_bytes(name), std::nullopt)->record.encode(), unknown.record.encode());
  }
  EXPECT_GT(counts[0], 30);  // a half, a quarter and a quarter of 120; the key is fixed
  EXPECT_GT(counts[1], 10);
  EXPECT_GT(counts[2], 10);
}

TEST_P(Stored, AKeyRingRefusesSharesThatMoveANameBack) {
  auto ring = ring_of_two_epochs();
  EXPECT_TRUE(ring.activate(parameters(2)));
  EXPECT_TRUE(ring.set_shares(crypto::with_share(ring.shares(), parameters(2), crypto::kWholeShare / 2)));
  const auto last = ring.shares();
  const auto refused = [&](auto edit) {
    auto next = last;
    edit(next);
    const auto status = ring.set_shares(next);
    EXPECT_EQ(ring.shares(), last);
    return !status && status.error() == Errc::misuse;
  };
  EXPECT_TRUE(refused([](auto& next) { next.clear(); }));
  EXPECT_TRUE(refused([](auto& next) { next.pop_back(); }));
  EXPECT_TRUE(refused([](auto& next) { next.back().below /= 2; }));
  EXPECT_TRUE(refused([](auto& next) { std::swap(next[0].parameters, next[1].parameters); }));
  EXPECT_TRUE(refused([&](auto& next) { next.push_back({parameters(3), 0}); }));
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(ring.set_shares(last));
}

// A record of keys that are gone, and bytes that are no record: the answer is the one of an unknown name, and the
// caller is told.
TEST_P(Stored, WhatLeadsToNoKeysAnswersAsAnUnknownName) {
  const auto ring = [&] {
    auto made = ring_of_two_epochs();
    EXPECT_TRUE(made.activate(parameters(2)));
    EXPECT_TRUE(made.set_shares(crypto::with_share(made.shares(), parameters(2), crypto::kWholeShare / 2)));
    return made;
  }();
  const auto of_another_suite = StoredRecord{.suite = another_suite(),
                                             .ksf = KsfProfile::small,
                                             .epoch = 1,
                                             .record = fake_record(another_suite(), rng_).value()}
                                    .encode();
  auto damaged = record(1);
  std::fill(damaged.begin() + kStoredHeaderSize, damaged.end(), std::uint8_t{0xff});
  if (suite_ == SuiteId::ristretto255_curve25519) damaged.pop_back();  // there any 32 bytes are a key
  for (const std::string name : {"alice", "bob", "carol", "dave"}) {
    const auto unknown = ring.credential(as_bytes(name), std::nullopt).value();
    const auto check = [&](Bytes stored, Found found) {
      const auto answer = ring.credential(as_bytes(name), stored);
      ASSERT_TRUE(answer) << name;
      EXPECT_EQ(answer->found, found) << name;
      EXPECT_EQ(answer->record.encode(), unknown.record.encode()) << name;
      EXPECT_EQ(answer->keys, unknown.keys) << name;
    };
    check(record(3), Found::lost_epoch);
    check(of_another_suite, Found::lost_epoch);
    check({}, Found::unreadable);
    check(as_bytes("pake"), Found::unreadable);
    check(damaged, Found::unreadable);
  }
}

TEST_P(Stored, AKeyRingRefusesAFakeRecordThatIsNotOfTheKeys) {
  auto device = std::make_shared<const Device>(std::move(keys(1).keys));
  KeyRing ring(fake_key());
  EXPECT_EQ(ring.add({.epoch = 1, .keys = device, .fake = record(2)}).error(), Errc::misuse);
  EXPECT_EQ(ring.add({.epoch = 1, .keys = device, .fake = Buffer()}).error(), Errc::misuse);
  EXPECT_TRUE(ring.add({.epoch = 1, .keys = device, .fake = record(1)}));
}

}  // namespace
}  // namespace pake::opaque
