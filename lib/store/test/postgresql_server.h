// A PostgreSQL server of the tests' own: made in a temporary directory, under its own user, on a unix socket alone.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "rig.h"

namespace pake::store::testing {

class PostgresqlServer {
 public:
  /// The one of this process; or, in words, why there can be none.
  static std::expected<PostgresqlServer*, std::string> get();
  ~PostgresqlServer();
  PostgresqlServer(const PostgresqlServer&) = delete;
  PostgresqlServer& operator=(const PostgresqlServer&) = delete;

  /// A URL of a fresh database.
  std::string make_database();
  [[nodiscard]] std::string url(const std::string& database) const;
  [[nodiscard]] bool start() const;
  /// Ends the server without a checkpoint, and waits until it is gone.
  void stop() const;
  /// kill -9 of its first process; the others notice and end.
  void kill() const;
  /// Runs SQL as the owner of everything.
  [[nodiscard]] bool execute(const std::string& database, const std::string& sql) const;

 private:
  PostgresqlServer() = default;
  [[nodiscard]] bool run(const std::string& command) const;

  TemporaryDirectory directory_;
  std::string bin_;
  int databases_ = 0;
};

class PostgresqlBackend final : public Backend {
 public:
  explicit PostgresqlBackend(std::string where) : url(std::move(where)) {}
  StoreResult<std::unique_ptr<CredentialStore>> create(const StoreSeed& seed) override;
  StoreResult<std::unique_ptr<CredentialStore>> open() override;
  std::string url;
};

}  // namespace pake::store::testing
