// libpq without ever blocking on it: a connection on which each call ends by a deadline, parameters, rows.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/store/error.h"
#include "pake/store/rows.h"

namespace pake::store {

using Deadline = std::chrono::steady_clock::time_point;

/// A URL taken apart: what every host shares, and the hosts.
struct PostgresqlTarget {
  struct Host {
    std::string name, port;  // empty: libpq's default
  };
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<Host> hosts;
  std::string where;  // for messages: the URL
};

/// misuse: no URL, or one with a password in it.
[[nodiscard]] StoreResult<PostgresqlTarget> parse_postgresql_url(const std::string& url);

/// Parameters of a statement, in their order.
class Parameters {
 public:
  Parameters& bind(std::int64_t value);
  Parameters& bind(Bytes bytes);
  Parameters& bind_text(std::string_view text);
  Parameters& bind_null_integer();
  Parameters& bind_null_bytes();

 private:
  friend class PostgresqlConnection;
  struct Value {
    Oid type;
    bool is_null;
    Buffer bytes;
  };
  std::vector<Value> values_;
};

/// The rows of an answer, one after the other; columns are read in their order.
class Rows {
 public:
  explicit Rows(PGresult* result) noexcept : result_(result, PQclear) {}

  [[nodiscard]] bool next() noexcept;
  [[nodiscard]] std::int64_t integer() noexcept;
  [[nodiscard]] bool boolean() noexcept;
  [[nodiscard]] Buffer blob();
  [[nodiscard]] std::string text();
  [[nodiscard]] bool is_null() const noexcept;  // of the next column, which stays the next
  void skip() noexcept { ++column_; }
  /// Rows that the statement changed.
  [[nodiscard]] std::int64_t changed() const noexcept;
  [[nodiscard]] std::string_view command() const noexcept { return PQcmdStatus(result_.get()); }

 private:
  [[nodiscard]] Bytes take() noexcept;

  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
  int row_ = -1;
  int column_ = 0;
};

/// One connection to the node that takes changes; used by one thread at a time. After an error for which `is_broken`,
/// it is of no more use.
class PostgresqlConnection {
 public:
  /// Tries the hosts in their order, each for its part of the time that is left.
  [[nodiscard]] static StoreResult<std::unique_ptr<PostgresqlConnection>> connect(const PostgresqlTarget& target,
                                                                                  Deadline deadline,
                                                                                  std::chrono::milliseconds timeout);
  PostgresqlConnection(const PostgresqlConnection&) = delete;
  PostgresqlConnection& operator=(const PostgresqlConnection&) = delete;

  /// The time by which all that follows must have ended.
  void set_deadline(Deadline deadline) noexcept { deadline_ = deadline; }
  /// `sql` is a literal: its address names the prepared statement, which is kept.
  [[nodiscard]] StoreResult<Rows> query(const char* sql, const Parameters& parameters = {});
  /// Statements without parameters or rows, one or several, unprepared.
  [[nodiscard]] StoreStatus execute(const std::string& sql);
  /// COMMIT, believed only if the server says so without a warning: a commit that no standby confirmed comes with one.
  [[nodiscard]] StoreStatus commit();

  [[nodiscard]] bool is_broken() const noexcept { return broken_; }
  [[nodiscard]] int socket() const noexcept { return PQsocket(connection_.get()); }
  /// Takes in what has come, and says whether a notification was among it. unreachable: the connection is gone.
  [[nodiscard]] StoreResult<bool> take_notifications();

 private:
  PostgresqlConnection(PGconn* connection, std::string where) noexcept
      : connection_(connection, PQfinish), where_(std::move(where)) {}

  [[nodiscard]] StoreStatus start(std::chrono::milliseconds timeout);
  [[nodiscard]] StoreStatus wait(short events);
  [[nodiscard]] StoreResult<Rows> receive();
  [[nodiscard]] std::unexpected<StoreError> failure(const PGresult* result);
  [[nodiscard]] std::unexpected<StoreError> gone(const std::string& why);

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
  std::string where_;
  Deadline deadline_{};
  std::unordered_map<const char*, std::string> prepared_;
  bool broken_ = false;
  bool warned_ = false;
};

}  // namespace pake::store
