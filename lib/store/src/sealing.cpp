// sealed user       = seal(seal key, AD, 01 || lp2(record) || zeros)
//   AD = "pake/1 user" || lp1(name) || revision (8) || generation (8) || suite || epoch (4) || ksf profile || state
// sealed invitation = seal(seal key, AD, 01 || lp1(secret) || zeros)
//   AD = "pake/1 invitation" || lp1(selector) || lp1(name) || expires_at (8)
#include "pake/store/sealing.h"

#include <algorithm>
#include <array>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/store/shares.h"

namespace pake::store {
namespace {

constexpr std::uint8_t kBodyVersion = 1;

std::uint64_t milliseconds(Time time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }

Buffer associated_data(const UserRow& row) {
  return Writer(64 + row.name.size())
      .put(as_bytes("pake/1 user"))
      .put_lp1(as_bytes(row.name))
      .u64(row.revision)
      .u64(row.generation)
      .u8(row.parameters.suite)
      .u32(row.parameters.epoch)
      .u8(row.parameters.ksf_profile)
      .u8(static_cast<std::uint8_t>(row.state))
      .take();
}

Buffer associated_data(const InvitationRow& row) {
  return Writer(64 + row.selector.size() + row.name.size())
      .put(as_bytes("pake/1 invitation"))
      .put_lp1(as_bytes(row.selector))
      .put_lp1(as_bytes(row.name))
      .u64(milliseconds(row.expires_at))
      .take();
}

std::unexpected<StoreError> does_not_open(std::string_view what, std::string_view name) {
  return fail(StoreErrc::corrupt,
              "the row of " + std::string(what) + " '" + std::string(name) +
                  "' does not open under the key file: it was altered",
              "restore the store from a backup, or remove and invite the user again");
}

}  // namespace

StoreStatus seal_user(const KeyFile& keys, UserRow& row, Bytes record, Rng& rng) {
  if (record.size() > kMaxRecordSize || row.name.size() > 255)
    return fail(StoreErrc::misuse, "a record or a name is too large for its row");
  const auto body = SecretBuffer::make(3 + kMaxRecordSize, [&](MutableBytes out) {
    out[0] = kBodyVersion;
    out[1] = static_cast<std::uint8_t>(record.size() >> 8U);
    out[2] = static_cast<std::uint8_t>(record.size());
    std::ranges::copy(record, out.begin() + 3);
  });
  row.sealed = crypto::seal(keys.seal_key(), associated_data(row), body.reveal(), rng);
  return {};
}

StoreResult<std::optional<SecretBuffer>> open_user(const KeyFile& keys, const UserRow& row) {
  if (row.name.size() > 255) return does_not_open("user", row.name);
  const auto body = crypto::open_sealed(keys.seal_key(), associated_data(row), row.sealed);
  if (!body) return does_not_open("user", row.name);
  Reader reader(body->reveal());
  const auto version = reader.u8();
  const auto record = reader.take_lp2();
  if (body->size() != 3 + kMaxRecordSize || version != kBodyVersion || !record) return does_not_open("user", row.name);
  if (record->empty()) return std::nullopt;
  return SecretBuffer::copy_of(*record);
}

StoreStatus seal_invitation(const KeyFile& keys, InvitationRow& row, Bytes secret, Rng& rng) {
  if (secret.size() > kMaxInvitationSecret || row.selector.size() > 255 || row.name.size() > 255)
    return fail(StoreErrc::misuse, "a secret, a selector or a name is too large for an invitation");
  const auto body = SecretBuffer::make(2 + kMaxInvitationSecret, [&](MutableBytes out) {
    out[0] = kBodyVersion;
    out[1] = static_cast<std::uint8_t>(secret.size());
    std::ranges::copy(secret, out.begin() + 2);
  });
  row.sealed = crypto::seal(keys.seal_key(), associated_data(row), body.reveal(), rng);
  return {};
}

StoreResult<SecretBuffer> open_invitation(const KeyFile& keys, const InvitationRow& row) {
  if (row.selector.size() > 255 || row.name.size() > 255) return does_not_open("invitation of", row.name);
  const auto body = crypto::open_sealed(keys.seal_key(), associated_data(row), row.sealed);
  if (!body) return does_not_open("the invitation of", row.name);
  Reader reader(body->reveal());
  const auto version = reader.u8();
  const auto secret = reader.take_lp1();
  if (body->size() != 2 + kMaxInvitationSecret || version != kBodyVersion || !secret)
    return does_not_open("the invitation of", row.name);
  return SecretBuffer::copy_of(*secret);
}

StoreSeed make_store_seed(const KeyFile& keys, const CredentialParameters& first, Time now, Rng& rng) {
  StoreSeed seed{.key_file = keys.id(),
                 .decoy_user = new_user("", first, now, rng),
                 .decoy_invitation = {.created_at = now},
                 .first_shares = {.step = 1, .effective_at = now, .shares = {{first, kWholeShare}}},
                 .created_at = now};
  // Neither can be too large: both are empty.
  static_cast<void>(seal_user(keys, seed.decoy_user, {}, rng));
  static_cast<void>(seal_invitation(keys, seed.decoy_invitation, {}, rng));
  return seed;
}

UserRow new_user(std::string_view name, const CredentialParameters& parameters, Time now, Rng& rng,
                 std::uint64_t used_generation) {
  std::array<std::uint8_t, 8> drawn{};
  rng.fill(drawn);
  std::uint64_t generation = 0;
  for (const auto byte : drawn) generation = generation << 8U | byte;
  generation >>= 2U;  // room to count up, and for databases whose integers have a sign
  if (used_generation > 0) generation = used_generation + 1 + (generation & 0xffffffffU);
  return {.name = std::string(name),
          .revision = 1,
          .generation = generation,
          .parameters = parameters,
          .state = UserState::enabled,
          .created_at = now,
          .changed_at = now};
}

UserRow next_revision(const UserRow& row, Time now) {
  auto next = row;
  ++next.revision;
  next.changed_at = now;
  next.sealed.clear();
  return next;
}

}  // namespace pake::store
