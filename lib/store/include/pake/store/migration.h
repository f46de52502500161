// Epochs: what the key file has, what the store uses, and how far a migration has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pake/store/credential_store.h"
#include "pake/store/key_file.h"
#include "pake/store/shares.h"

namespace pake::store {

/// How long after it was written a step takes effect, so that every node has read it by then.
inline constexpr std::chrono::milliseconds kStepDelay = std::chrono::seconds(10);

/// `pake keys activate`: new credentials are made under `parameters` from now + kStepDelay on; names without an account
/// follow as users do (follow_migration). After `window_ends` credentials under other parameters no longer log in.
/// key_file_missing: the key file has no such keys (stage first, and bring the file to every node). exists: they are
/// current already. conflict: somebody else did a step meanwhile.
[[nodiscard]] StoreResult<FakeShareStep> activate(CredentialStore& store, const KeyFile& keys,
                                                  const CredentialParameters& parameters,
                                                  std::optional<Time> window_ends, const AuditNote& note);

/// Moves names without an account as far as users have moved, in steps of a hundredth; all of them once the window has
/// ended. To be called now and then by any node; a conflict means that another node did it.
/// @return the step that was written, if one was due
[[nodiscard]] StoreResult<std::optional<FakeShareStep>> follow_migration(CredentialStore& store, const AuditNote& note);

/// Whether a credential under `parameters` may log in at `now` (and when not, the login goes on as for an unknown
/// name).
[[nodiscard]] bool may_log_in(const FakeShareStep& step, const CredentialParameters& parameters, Time now) noexcept;

struct EpochStatus {
  CredentialParameters parameters;
  std::string fingerprint{};  // empty: the key file has no such keys
  bool is_current = false;    // new credentials are made under these
  std::uint64_t users = 0;    // enabled and disabled ones
};

struct KeyStatus {
  std::vector<EpochStatus> epochs;  // in order
  std::optional<Time> window_ends;
  /// The current keys, and those of every user, are in the key file: otherwise the node is not ready.
  bool is_complete = false;
};

/// `pake keys status`.
[[nodiscard]] StoreResult<KeyStatus> key_status(CredentialStore& store, const KeyFile& keys);

}  // namespace pake::store
