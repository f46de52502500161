// The store in a PostgreSQL database, for several nodes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "pake/store/credential_store.h"

namespace pake::store {

struct PostgresqlOptions {
  /// `postgresql://USER@HOST[:PORT],HOST[:PORT]/DATABASE`: the hosts are tried in their order until one takes changes.
  /// A password in it is refused: libpq has PGPASSFILE, certificates and the peer's user for that.
  std::string url{};
  std::size_t connections = 4;
  std::chrono::milliseconds timeout = std::chrono::seconds(5);  // of any one call, finding the primary included
  std::uint64_t max_ledger_rows = 1'000'000;
};

/// Opens a store, bringing an older schema up to date. missing: there is none in this database. Otherwise unreachable,
/// permission, not_a_store, newer_schema, and misuse for an invalid URL.
[[nodiscard]] StoreResult<std::unique_ptr<CredentialStore>> open_postgresql(const PostgresqlOptions& options);

/// Makes a store in one transaction, as tables `pake_...` in the database's default schema. exists: there is one.
[[nodiscard]] StoreResult<std::unique_ptr<CredentialStore>> create_postgresql(const PostgresqlOptions& options,
                                                                              const StoreSeed& seed);

}  // namespace pake::store
