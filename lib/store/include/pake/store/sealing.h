// What is secret in a row, sealed under the key file: XChaCha20-Poly1305 with the rest of the row as associated data.
//
// A stolen database gives nothing to guess against. A row that was altered, or moved to another name, does not open: an
// error of the store (`corrupt`), never a login. Rolling a whole row back is not detected.
#pragma once

#include <optional>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/store/credential_store.h"
#include "pake/store/key_file.h"
#include "pake/store/rows.h"

namespace pake::store {

/// A record as the protocol encodes it has at most this many bytes: bytes that mean nothing here.
inline constexpr std::size_t kMaxRecordSize = 253;
inline constexpr std::size_t kMaxInvitationSecret = 62;
/// The sizes of `sealed`, whatever is inside.
inline constexpr std::size_t kSealedUserSize = crypto::kSealOverhead + 3 + kMaxRecordSize;
inline constexpr std::size_t kSealedInvitationSize = crypto::kSealOverhead + 2 + kMaxInvitationSecret;

/// Fills `row.sealed`. `record` is empty for a user without a credential. All other fields are bound (times aside), so
/// this comes last. misuse: a record that is too large.
[[nodiscard]] StoreStatus seal_user(const KeyFile& keys, UserRow& row, Bytes record, Rng& rng);

/// The record of a row, or nothing if the user has none (the decoy too). corrupt: the row does not open.
[[nodiscard]] StoreResult<std::optional<SecretBuffer>> open_user(const KeyFile& keys, const UserRow& row);

/// The same for an invitation's secret, which is never empty except in the decoy.
[[nodiscard]] StoreStatus seal_invitation(const KeyFile& keys, InvitationRow& row, Bytes secret, Rng& rng);
[[nodiscard]] StoreResult<SecretBuffer> open_invitation(const KeyFile& keys, const InvitationRow& row);

/// What a new store under this key file begins with.
[[nodiscard]] StoreSeed make_store_seed(const KeyFile& keys, const CredentialParameters& first, Time now, Rng& rng);

/// A user's first row, to be sealed: revision 1 and a generation drawn at random; above `used_generation` if the name
/// was used before, so that no ticket and no node takes the new user for the old one.
[[nodiscard]] UserRow new_user(std::string_view name, const CredentialParameters& parameters, Time now, Rng& rng,
                               std::uint64_t used_generation = 0);

/// `row` with the next revision, to be changed, sealed and written.
[[nodiscard]] UserRow next_revision(const UserRow& row, Time now);

}  // namespace pake::store
