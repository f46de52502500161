#include "pake/proto/opaque/stored.h"

#include <algorithm>

#include "octets.h"
#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/opaque/server.h"

namespace pake::opaque {
namespace {

constexpr std::string_view kMagic = "pake";
constexpr std::uint8_t kVersion = 1;

enum class Kind : std::uint8_t { record = 1, keys = 2 };  // on disk: never renumber

struct Header {
  SuiteId suite;
  crypto::KsfProfile ksf;
  EpochNumber epoch;
};

Buffer encode_header(Kind kind, const Header& header) {
  return Writer(kStoredHeaderSize)
      .put(as_bytes(kMagic))
      .u8(static_cast<std::uint8_t>(kind))
      .u8(kVersion)
      .u8(static_cast<std::uint8_t>(header.suite))
      .u8(static_cast<std::uint8_t>(header.ksf))
      .u32(header.epoch)
      .take();
}

Result<Header> take_header(Reader& reader, Kind kind) {
  PAKE_TRY(const auto magic, reader.take(kMagic.size()));
  PAKE_TRY(const auto kind_byte, reader.u8());
  PAKE_TRY(const auto version, reader.u8());
  if (as_text(magic) != kMagic || kind_byte != static_cast<std::uint8_t>(kind) || version != kVersion)
    return fail(Errc::malformed);
  PAKE_TRY(const auto suite_byte, reader.u8());
  PAKE_TRY(const auto suite, decode_suite_id(suite_byte));
  PAKE_TRY(const auto ksf_byte, reader.u8());
  PAKE_TRY(const auto ksf, crypto::decode_ksf_profile(ksf_byte));
  PAKE_TRY(const auto epoch, reader.u32());
  return Header{.suite = suite, .ksf = ksf, .epoch = epoch};
}

}  // namespace

Buffer StoredRecord::encode() const {
  return Writer(size(suite))
      .put(encode_header(Kind::record, {.suite = suite, .ksf = ksf, .epoch = epoch}))
      .put(record.encode(suite))
      .take();
}

Result<StoredRecord> StoredRecord::decode(Bytes bytes) {
  Reader reader(bytes);
  PAKE_TRY(const auto header, take_header(reader, Kind::record));
  PAKE_TRY(auto record, RegistrationRecord::decode(header.suite, reader.rest()));
  return StoredRecord{.suite = header.suite, .ksf = header.ksf, .epoch = header.epoch, .record = std::move(record)};
}

Result<StoredKeys> StoredKeys::generate(SuiteId suite, crypto::KsfProfile ksf, EpochNumber epoch, Rng& rng) {
  PAKE_TRY(auto keys, ServerKeys::generate(suite, rng));
  PAKE_TRY(auto fake, fake_record(suite, rng));
  return StoredKeys{.ksf = ksf, .epoch = epoch, .keys = std::move(keys), .fake = std::move(fake)};
}

SecretBuffer StoredKeys::encode() const {
  return concat({encode_header(Kind::keys, {.suite = keys.suite(), .ksf = ksf, .epoch = epoch}),
                 keys.oprf_seed().reveal(), keys.private_key().reveal(), fake.encode(keys.suite())});
}

Result<StoredKeys> StoredKeys::decode(Bytes bytes) {
  Reader reader(bytes);
  PAKE_TRY(const auto header, take_header(reader, Kind::keys));
  const auto of = sizes(header.suite);
  PAKE_TRY(const auto oprf_seed, reader.take(of.Nh));
  PAKE_TRY(const auto private_key, reader.take(of.Nsk));
  PAKE_TRY(auto fake, RegistrationRecord::decode(header.suite, reader.rest()));
  PAKE_TRY(auto keys, ServerKeys::decode(header.suite, {.oprf_seed = oprf_seed, .private_key = private_key}));
  return StoredKeys{.ksf = header.ksf, .epoch = header.epoch, .keys = std::move(keys), .fake = std::move(fake)};
}

Status KeyRing::add(Member member) {
  if (member.keys == nullptr) return fail(Errc::misuse);
  const auto suite = member.keys->suite();
  const auto fake = StoredRecord::decode(member.fake);
  if (!fake || fake->suite != suite || fake->epoch != member.epoch) return fail(Errc::misuse);
  if (find(suite, member.epoch) != nullptr) return fail(Errc::misuse);
  members_.push_back(std::move(member));
  return {};
}

Status KeyRing::add(StoredKeys stored) {
  const auto suite = stored.keys.suite();
  const StoredRecord fake{.suite = suite, .ksf = stored.ksf, .epoch = stored.epoch, .record = std::move(stored.fake)};
  return add({.epoch = stored.epoch,
              .keys = std::make_shared<const ServerKeys>(std::move(stored.keys)),
              .fake = fake.encode()});
}

Status KeyRing::activate(const RecordParameters& parameters) {
  if (std::ranges::find(shares_, parameters, &FakeShare::parameters) != shares_.end()) return fail(Errc::misuse);
  return set_shares(crypto::with_share(shares_, parameters, shares_.empty() ? crypto::kWholeShare : 0));
}

Status KeyRing::set_shares(std::span<const FakeShare> shares) {
  const auto has_keys = [&](const FakeShare& share) {
    return find(share.parameters.suite, share.parameters.epoch) != nullptr;
  };
  const bool may_follow = shares_.empty() ? crypto::is_valid_table(shares)
                                          : crypto::moves_no_name_back(std::span<const FakeShare>(shares_), shares);
  if (!may_follow || !std::ranges::all_of(shares, has_keys)) return fail(Errc::misuse);
  shares_ = std::vector<FakeShare>(shares.begin(), shares.end());
  return {};
}

const KeyRing::Member* KeyRing::find(SuiteId suite, EpochNumber epoch) const noexcept {
  const auto found = std::ranges::find_if(
      members_, [&](const Member& member) { return member.epoch == epoch && member.keys->suite() == suite; });
  return found == members_.end() ? nullptr : &*found;
}

const KeyRing::Member* KeyRing::current(SuiteId suite) const noexcept {
  const auto of_suite = [&](const FakeShare& share) { return share.parameters.suite == suite; };
  const auto newest = std::find_if(shares_.rbegin(), shares_.rend(), of_suite);
  return newest == shares_.rend() ? nullptr : find(suite, newest->parameters.epoch);
}

// The header alone: whatever is found, one whole record is decoded.
const KeyRing::Member* KeyRing::keys_of(const std::optional<Bytes>& stored, Found& found) const noexcept {
  found = Found::nothing;
  if (!stored) return nullptr;
  found = Found::unreadable;
  Reader reader(*stored);
  const auto header = take_header(reader, Kind::record);
  if (!header) return nullptr;
  const auto* member = find(header->suite, header->epoch);
  found = member == nullptr ? Found::lost_epoch : Found::record;
  return member;
}

Result<Credential> KeyRing::credential(Bytes credential_identifier, std::optional<Bytes> stored) const {
  if (credential_identifier.empty()) return fail(Errc::misuse);
  if (shares_.empty()) return fail(Errc::unavailable);
  const auto& drawn = crypto::parameters_of(std::span<const FakeShare>(shares_),
                                            crypto::draw_share(fake_key_.reveal(), credential_identifier));
  const auto* fake = find(drawn.suite, drawn.epoch);
  Found found{};
  const auto* member = keys_of(stored, found);
  auto record = StoredRecord::decode(member != nullptr ? *stored : Bytes(fake->fake));
  if (!record) {  // damaged behind its header: the seal should have seen it
    found = Found::unreadable;
    PAKE_TRY(record, StoredRecord::decode(fake->fake));
  }
  if (found == Found::record) return Credential{.record = *std::move(record), .keys = member->keys, .found = found};
  record->ksf = drawn.ksf;
  return Credential{.record = *std::move(record), .keys = fake->keys, .found = found};
}

}  // namespace pake::opaque
