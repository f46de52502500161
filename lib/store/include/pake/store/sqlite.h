// The store in one SQLite file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "pake/store/credential_store.h"

namespace pake::store {

struct SqliteOptions {
  std::filesystem::path path{};
  std::size_t readers = 4;  // connections that read at once, beside the one that writes
  std::chrono::milliseconds timeout = std::chrono::seconds(5);  // for another's lock
  std::uint64_t max_ledger_rows = 1'000'000;
  std::string vfs{};  // of SQLite; empty: the system's
};

/// Opens a store, bringing an older schema up to date. WAL, synchronous=FULL.
/// missing: no such file, or one that is still empty. Otherwise permission, read_only, not_a_store, corrupt,
/// newer_schema, busy, full, io.
[[nodiscard]] StoreResult<std::unique_ptr<CredentialStore>> open_sqlite(const SqliteOptions& options);

/// Makes a store, mode 0600, in one transaction: a crash leaves none, or a whole one. exists: there is one.
[[nodiscard]] StoreResult<std::unique_ptr<CredentialStore>> create_sqlite(const SqliteOptions& options,
                                                                          const StoreSeed& seed);

/// Writes a consistent copy of a store in use to `to`, mode 0600. exists: `to` is there.
[[nodiscard]] StoreStatus back_up_sqlite(const std::filesystem::path& path, const std::filesystem::path& to);

}  // namespace pake::store
