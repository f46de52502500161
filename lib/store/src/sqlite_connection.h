// SQLite's C interface in three types: a connection, a statement in use, and what SQLite says went wrong.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pake/base/bytes.h"
#include "pake/store/error.h"
#include "pake/store/rows.h"

namespace pake::store {

class Connection;

/// A prepared statement from its first parameter to its last row; reset at its end. Parameters are bound in order,
/// columns read in order.
class Statement {
 public:
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // What is bound must live until the last step.
  Statement& bind(std::string_view text) &;
  Statement& bind(Bytes bytes) &;
  Statement& bind(std::int64_t value) &;
  Statement& bind_null() &;

  /// Whether there is a row.
  [[nodiscard]] StoreResult<bool> step();
  /// Steps to the end; for statements without rows.
  [[nodiscard]] StoreStatus run();

  [[nodiscard]] std::int64_t integer();
  [[nodiscard]] std::string text();
  [[nodiscard]] Buffer blob();
  [[nodiscard]] bool is_null() const;  // of the next column, which stays the next
  void skip() { ++column_; }

 private:
  friend class Connection;
  Statement(Connection& connection, sqlite3_stmt* statement, int prepare_code) noexcept
      : connection_(&connection), statement_(statement), bind_code_(prepare_code) {}

  void note(int code) noexcept;

  Connection* connection_;
  sqlite3_stmt* statement_;
  int bind_code_;  // the first failure of preparing or binding, which `step` tells
  int parameter_ = 0;
  int column_ = 0;
};

/// One connection, used by one thread at a time.
class Connection {
 public:
  struct Settings {
    std::filesystem::path path;
    std::string vfs;
    std::chrono::milliseconds timeout{};
  };
  enum class Use : std::uint8_t { write, read };

  [[nodiscard]] static StoreResult<std::unique_ptr<Connection>> open(const Settings& settings, Use use);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// `sql` is a literal: its address names the prepared statement, which is kept.
  [[nodiscard]] Statement statement(const char* sql);
  /// Runs statements without parameters or rows.
  [[nodiscard]] StoreStatus execute(const char* sql);
  /// The one integer of a statement's one row.
  [[nodiscard]] StoreResult<std::int64_t> integer_of(const char* sql);
  [[nodiscard]] std::int64_t changes() const noexcept { return sqlite3_changes64(database_); }
  [[nodiscard]] bool in_transaction() const noexcept { return sqlite3_get_autocommit(database_) == 0; }

  /// What SQLite's code means for the operator.
  [[nodiscard]] std::unexpected<StoreError> failure(int code) const;

 private:
  explicit Connection(std::string where) noexcept : where_(std::move(where)) {}

  std::string where_;
  sqlite3* database_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace pake::store
