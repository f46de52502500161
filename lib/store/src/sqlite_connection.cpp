#include "sqlite_connection.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "pake/internal/try.h"

namespace pake::store {

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_code_(other.bind_code_),
      parameter_(other.parameter_),
      column_(other.column_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Statement::note(int code) noexcept {
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
}

Statement& Statement::bind(std::string_view text) & {
  const auto* data = text.data() == nullptr ? "" : text.data();
  if (statement_ != nullptr)
    note(sqlite3_bind_text64(statement_, ++parameter_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(Bytes bytes) & {
  static constexpr std::uint8_t kNothing = 0;
  const auto* data = bytes.data() == nullptr ? &kNothing : bytes.data();
  if (statement_ != nullptr) note(sqlite3_bind_blob64(statement_, ++parameter_, data, bytes.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind(std::int64_t value) & {
  if (statement_ != nullptr) note(sqlite3_bind_int64(statement_, ++parameter_, value));
  return *this;
}

Statement& Statement::bind_null() & {
  if (statement_ != nullptr) note(sqlite3_bind_null(statement_, ++parameter_));
  return *this;
}

StoreResult<bool> Statement::step() {
  if (bind_code_ != SQLITE_OK) return connection_->failure(bind_code_);
  column_ = 0;
  const auto code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_->failure(code);
}

StoreStatus Statement::run() {
  while (true) {
    PAKE_TRY(const auto row, step());
    if (!row) return {};
  }
}

std::int64_t Statement::integer() { return sqlite3_column_int64(statement_, column_++); }

std::string Statement::text() {
  const auto* data = sqlite3_column_text(statement_, column_);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_++));
  return data == nullptr ? std::string() : std::string(as_text({data, size}));
}

Buffer Statement::blob() {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column_));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_++));
  return data == nullptr ? Buffer() : Buffer(data, data + size);
}

bool Statement::is_null() const { return sqlite3_column_type(statement_, column_) == SQLITE_NULL; }

StoreResult<std::unique_ptr<Connection>> Connection::open(const Settings& settings, Use use) {
  std::unique_ptr<Connection> connection(new Connection(settings.path.string()));
  const auto code = sqlite3_open_v2(settings.path.c_str(), &connection->database_,
                                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                    settings.vfs.empty() ? nullptr : settings.vfs.c_str());
  if (code != SQLITE_OK) return connection->failure(code);
  // SQLite falls back to reading alone if it may not write, and then misses the files of the write-ahead log.
  if (sqlite3_db_readonly(connection->database_, "main") == 1)
    return fail(StoreErrc::read_only, "the store " + settings.path.string() + " takes no changes",
                "chown it to the user that pake runs as, or remount its file system read-write");
  sqlite3_busy_timeout(connection->database_, static_cast<int>(settings.timeout.count()));
  sqlite3_db_config(connection->database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // FULL: a commit is on the disk when it returns. An untrusted schema runs no functions of ours.
  PAKE_TRYV(
      connection->execute("PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                          "PRAGMA secure_delete=ON"));
  if (use == Use::read) PAKE_TRYV(connection->execute("PRAGMA query_only=ON"));
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(database_);
}

Statement Connection::statement(const char* sql) {
  auto& prepared = statements_[sql];
  auto code = SQLITE_OK;
  if (prepared == nullptr) code = sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  return {*this, prepared, code};
}

StoreStatus Connection::execute(const char* sql) {
  const auto code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return {};
}

StoreResult<std::int64_t> Connection::integer_of(const char* sql) {
  auto query = statement(sql);
  PAKE_TRY(const auto row, query.step());
  return row ? query.integer() : 0;
}

std::unexpected<StoreError> Connection::failure(int code) const {
  const auto system = database_ == nullptr ? 0 : sqlite3_system_errno(database_);
  const auto* said = database_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database_);
  auto message = "the store " + where_ + ": " + said;
  const auto with_reason = [&] {
    return system == 0 ? message : message + " (" + std::generic_category().message(system) + ")";
  };
  const bool no_room = system == ENOSPC || system == EDQUOT;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(StoreErrc::busy, "the store " + where_ + " is busy: another process holds its lock",
                  "try again; `fuser " + where_ + "` shows who has it open");
    case SQLITE_FULL:
      return fail(StoreErrc::full, message,
                  "make room on the device; what was acknowledged is kept, and no restart is needed");
    case SQLITE_READONLY:
      return fail(StoreErrc::read_only, message,
                  code == SQLITE_READONLY_DBMOVED
                      ? "the file was moved or replaced while it was open: restart on the file that is meant"
                      : "the file, its directory or its file system takes no changes: chown it to the user that pake "
                        "runs as, or remount");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      if (no_room) break;
      if (system == EROFS)
        return fail(StoreErrc::read_only, with_reason(), "the file system is mounted read-only: remount it");
      if (system == ENOENT || system == ENOTDIR) return fail(StoreErrc::missing, with_reason(), "check the path");
      return fail(StoreErrc::permission, with_reason(),
                  "the file and its directory belong to the user that pake runs as: chown them");
    case SQLITE_CORRUPT:
      return fail(StoreErrc::corrupt, message, "stop the server and restore the store from a backup (docs/store.md)");
    case SQLITE_NOTADB:
      return fail(StoreErrc::not_a_store, message, "name the file that the first start of `pake serve` made (pake.db)");
    case SQLITE_INTERRUPT:
      return fail(StoreErrc::interrupted, message);
    case SQLITE_CONSTRAINT:
      return fail(StoreErrc::exists, message);
    default:
      break;
  }
  if (no_room)
    return fail(StoreErrc::full, with_reason(),
                "make room on the device; what was acknowledged is kept, and no restart is needed");
  if (system == EROFS)
    return fail(StoreErrc::read_only, with_reason(), "the file system is mounted read-only: remount it");
  return fail(StoreErrc::io, with_reason(),
              "see the system's log for a fault of the device; the change was not acknowledged");
}

}  // namespace pake::store
