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

Status KeyRing::activate(EpochNumber epoch) {
  const auto has_epoch = [&](const Member& member) { return member.epoch == epoch; };
  if (std::ranges::none_of(members_, has_epoch)) return fail(Errc::misuse);
  for (const auto& member : members_) {
    if (!has_epoch(member)) continue;
    const auto suite = member.keys->suite();
    std::erase_if(current_, [&](const auto& of) { return of.first == suite; });
    current_.emplace_back(suite, epoch);
  }
  return {};
}

const KeyRing::Member* KeyRing::find(SuiteId suite, EpochNumber epoch) const noexcept {
  const auto found = std::ranges::find_if(
      members_, [&](const Member& member) { return member.epoch == epoch && member.keys->suite() == suite; });
  return found == members_.end() ? nullptr : &*found;
}

const KeyRing::Member* KeyRing::current(SuiteId suite) const noexcept {
  const auto found = std::ranges::find(current_, suite, &std::pair<SuiteId, EpochNumber>::first);
  return found == current_.end() ? nullptr : find(suite, found->second);
}

Result<Credential> KeyRing::credential(SuiteId suite, std::optional<Bytes> stored) const {
  const auto* current_member = current(suite);
  if (current_member == nullptr) return fail(Errc::unavailable);
  auto record = StoredRecord::decode(stored.value_or(current_member->fake));
  if (!record || record->suite != suite) return fail(Errc::unavailable);
  const auto* member = find(suite, record->epoch);
  if (member == nullptr) return fail(Errc::unavailable);
  return Credential{.record = *std::move(record), .keys = member->keys};
}

}  // namespace pake::opaque
