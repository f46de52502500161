// Users as JSON lines: out of a store, and into one under the same key file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pake/base/rng.h"
#include "pake/store/credential_store.h"
#include "pake/store/key_file.h"

namespace pake::store {

inline constexpr std::size_t kMaxExportLine = 4096;

/// Writes a line that says what this is and a line a user (removed ones left out), without their line ends. Records
/// stay sealed as they are: the lines give nothing to guess against, and are of no use without the key file.
[[nodiscard]] StoreStatus export_users(CredentialStore& store,
                                       const std::function<StoreStatus(std::string_view line)>& write);

struct ImportReport {
  std::uint64_t imported = 0;
  std::uint64_t present = 0;  // of a name that the store has: left as it is there
};

/// Reads such lines, until there is none. Each user gets a fresh generation: tickets of before are void. Invitations
/// and devices are not part of it. key_mismatch: another key file's. corrupt: a line that no export writes, or a record
/// that does not open; the message tells its number, and what stood before it has been imported.
[[nodiscard]] StoreResult<ImportReport> import_users(
    CredentialStore& store, const KeyFile& keys,
    const std::function<StoreResult<std::optional<std::string>>()>& next_line, const AuditNote& note, Rng& rng);

}  // namespace pake::store
