// What the store keeps: identifiers, numbers and sealed bytes. It never sees a protocol.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/crypto/shares.h"

namespace pake::store {

/// Wall-clock time as it is kept, in milliseconds since 1970. Handed in by the caller, always.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

/// What a credential was made under: numbers of the protocol, which mean nothing here.
struct CredentialParameters {
  std::uint32_t epoch = 0;
  std::uint8_t suite = 0;
  std::uint8_t ksf_profile = 0;

  friend auto operator<=>(const CredentialParameters&, const CredentialParameters&) = default;
};

enum class UserState : std::uint8_t {  // in the store: never renumber
  enabled = 1,
  disabled = 2,
  removed = 3,  // kept for its parameters until the window of a migration ends; otherwise like a name without account
};

/// The sealed part of a user has one size, whatever it holds: see sealing.h.
struct UserRow {
  std::string name{};            // normalised (pake/identity/name.h)
  std::uint64_t revision = 0;    // 1 when it is made, one more with every change of the row
  std::uint64_t generation = 0;  // moves on password change, reset, disable, remove and logout; not on migration
  CredentialParameters parameters{};
  UserState state = UserState::enabled;
  Buffer sealed{};
  Time created_at{};
  Time changed_at{};

  friend bool operator==(const UserRow&, const UserRow&) = default;
};

struct InvitationRow {
  std::string selector{};
  std::string name{};  // of the user it is for
  Time expires_at{};
  Buffer sealed{};
  Time created_at{};

  friend bool operator==(const InvitationRow&, const InvitationRow&) = default;
};

/// A bucket's name: HMAC(ledger key, kind || identifier), made by the key file (key_file.h).
using BucketKey = std::array<std::uint8_t, 32>;
/// The digest of a hello that was charged to a device's bucket.
using HelloDigest = std::array<std::uint8_t, 32>;

inline constexpr std::size_t kMaxBucketDigests = 8;

/// One bucket of guesses. A bucket that was never charged, or is full again, has no row. See bucket.h for the sums.
struct BucketRow {
  Time full_at{};                      // when every guess charged so far will have been refilled
  std::vector<HelloDigest> charged{};  // the hellos charged last, newest first, at most kMaxBucketDigests

  friend bool operator==(const BucketRow&, const BucketRow&) = default;
};

/// The bucket that pays for a row of the ledger which a charge makes.
struct NewRowCharge {
  BucketKey key{};
  std::chrono::milliseconds refill_interval{};  // per row
};

/// One guess to be charged.
struct Charge {
  BucketKey key{};
  std::chrono::milliseconds refill_interval{};  // per guess
  bool of_an_account = false;                   // such rows are the last to go when the ledger is full
  std::optional<HelloDigest> digest{};
  std::optional<NewRowCharge> new_row{};  // charged as well if there was no row under `key`
};

/// One move of a user's generation (or of his state), in the order in which they were committed.
struct GenerationChange {
  std::uint64_t sequence = 0;
  std::string name{};
  std::uint64_t generation = 0;
  UserState state = UserState::enabled;
  Time at{};

  friend bool operator==(const GenerationChange&, const GenerationChange&) = default;
};

/// One entry of a step of the fake-share table: see shares.h.
using FakeShare = crypto::Share<CredentialParameters>;

/// A step of the fake-share table, which is the progress of a migration too: its last entry is what new credentials are
/// made under.
struct FakeShareStep {
  std::uint64_t step = 0;  // 1, 2, ...
  Time effective_at{};     // on every node
  std::optional<Time>
      window_ends{};                // when credentials under anything but the last entry's parameters no longer log in
  std::vector<FakeShare> shares{};  // oldest parameters first

  friend bool operator==(const FakeShareStep&, const FakeShareStep&) = default;
};

/// What is written down beside a change, in the same transaction.
struct AuditNote {
  Time at{};
  std::string actor{};   // who: `operator`, `user`, `server`
  std::string action{};  // what: `user.disable`
  std::string name{};    // of the user it was done to; may be empty
  std::string detail{};  // never a secret; may be empty

  friend bool operator==(const AuditNote&, const AuditNote&) = default;
};

struct AuditRow {
  std::uint64_t id = 0;
  AuditNote note{};
};

using KeyFileId = std::array<std::uint8_t, 16>;

}  // namespace pake::store
