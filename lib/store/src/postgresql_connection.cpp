#include "postgresql_connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "pake/internal/try.h"

namespace pake::store {
namespace {

constexpr Oid kByteaType = 17;
constexpr Oid kInteger8Type = 20;
constexpr Oid kTextType = 25;
constexpr int kBinary = 1;

/// libpq's messages have line ends within and behind.
std::string one_line(const char* text) {
  std::string line(text == nullptr ? "" : text);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  for (std::size_t at = 0; (at = line.find('\n', at)) != std::string::npos;) line.replace(at, 1, "; ");
  return line;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const auto c : list) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

Deadline part_of(Deadline deadline, std::size_t hosts_left) {
  const auto now = std::chrono::steady_clock::now();
  if (deadline <= now) return now;
  return now + (deadline - now) / static_cast<std::int64_t>(std::max<std::size_t>(hosts_left, 1));
}

/// Whether the descriptor is ready by the deadline.
bool wait_for(int descriptor, short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd polled{.fd = descriptor, .events = events, .revents = 0};
    const auto ready = ::poll(&polled, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno == EINTR) continue;
    if (left <= 0 || ready < 0) return false;
  }
}

}  // namespace

StoreResult<PostgresqlTarget> parse_postgresql_url(const std::string& url) {
  char* said = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(PQconninfoParse(url.c_str(), &said),
                                                                              PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> message(said, PQfreemem);
  constexpr const char* kHint = "postgresql://USER@HOST[:PORT],HOST[:PORT]/DATABASE";
  if (!parsed) return fail(StoreErrc::misuse, "this is no URL of a PostgreSQL database", kHint);
  PostgresqlTarget target;
  std::string hosts, ports, user, database;
  for (const auto* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string keyword = option->keyword, value = option->val;
    if (keyword == "password" || keyword == "sslpassword")
      return fail(StoreErrc::misuse, "the URL of the database has a password in it, where others can read it",
                  "leave it out and put it into a file of mode 0600 that PGPASSFILE names");
    if (keyword == "host")
      hosts = value;
    else if (keyword == "port")
      ports = value;
    else
      target.settings.emplace_back(keyword, value);
    if (keyword == "user") user = value;
    if (keyword == "dbname") database = value;
  }
  const auto names = split(hosts), numbers = split(ports);
  if (numbers.size() != 1 && numbers.size() != names.size())
    return fail(StoreErrc::misuse, "the URL of the database has more ports than hosts", kHint);
  for (std::size_t i = 0; i < names.size(); ++i)
    target.hosts.push_back({.name = names[i], .port = numbers.size() == 1 ? numbers[0] : numbers[i]});
  target.where = "postgresql://" + (user.empty() ? "" : user + "@");
  for (const auto& [name, port] : target.hosts)
    target.where += (&name == &target.hosts.front().name ? "" : ",") + name + (port.empty() ? "" : ":" + port);
  target.where += "/" + database;
  return target;
}

Parameters& Parameters::bind(std::int64_t value) {
  Buffer bytes(8);
  for (std::size_t i = 0; i < 8; ++i)
    bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (56 - 8 * i));
  values_.push_back({.type = kInteger8Type, .is_null = false, .bytes = std::move(bytes)});
  return *this;
}

Parameters& Parameters::bind(Bytes bytes) {
  values_.push_back({.type = kByteaType, .is_null = false, .bytes = to_buffer(bytes)});
  return *this;
}

Parameters& Parameters::bind_text(std::string_view text) {
  values_.push_back({.type = kTextType, .is_null = false, .bytes = to_buffer(as_bytes(text))});
  return *this;
}

Parameters& Parameters::bind_null_integer() {
  values_.push_back({.type = kInteger8Type, .is_null = true, .bytes = {}});
  return *this;
}

Parameters& Parameters::bind_null_bytes() {
  values_.push_back({.type = kByteaType, .is_null = true, .bytes = {}});
  return *this;
}

bool Rows::next() noexcept {
  column_ = 0;
  return ++row_ < PQntuples(result_.get());
}

Bytes Rows::take() noexcept {
  const auto column = column_++;
  return {reinterpret_cast<const std::uint8_t*>(PQgetvalue(result_.get(), row_, column)),
          static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
}

std::int64_t Rows::integer() noexcept {
  std::uint64_t value = 0;
  for (const auto byte : take()) value = value << 8U | byte;
  return static_cast<std::int64_t>(value);
}

bool Rows::boolean() noexcept {
  const auto bytes = take();
  return !bytes.empty() && bytes[0] != 0;
}

Buffer Rows::blob() { return to_buffer(take()); }
std::string Rows::text() { return std::string(as_text(take())); }
bool Rows::is_null() const noexcept { return PQgetisnull(result_.get(), row_, column_) == 1; }
std::int64_t Rows::changed() const noexcept { return std::atoll(PQcmdTuples(result_.get())); }

StoreResult<std::unique_ptr<PostgresqlConnection>> PostgresqlConnection::connect(const PostgresqlTarget& target,
                                                                                 Deadline deadline,
                                                                                 std::chrono::milliseconds timeout) {
  std::string reasons;
  std::optional<StoreError> refused;
  for (std::size_t i = 0; i < target.hosts.size(); ++i) {
    const auto& host = target.hosts[i];
    // Only a node that takes changes will do: after a failover the old primary may answer, reading alone.
    std::vector<std::pair<std::string, std::string>> settings = {
        {"target_session_attrs", "read-write"}, {"application_name", "pake"}, {"client_encoding", "UTF8"}};
    for (const auto& setting : target.settings) settings.push_back(setting);
    if (!host.name.empty()) settings.emplace_back("host", host.name);
    if (!host.port.empty()) settings.emplace_back("port", host.port);
    std::vector<const char*> keywords, values;
    for (const auto& [keyword, value] : settings) {
      keywords.push_back(keyword.c_str());
      values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    std::unique_ptr<PostgresqlConnection> connection(
        new PostgresqlConnection(PQconnectStartParams(keywords.data(), values.data(), 0), target.where));
    connection->set_deadline(part_of(deadline, target.hosts.size() - i));
    const auto started = connection->start(timeout);
    if (started) return connection;
    if (started.error().code == StoreErrc::permission || started.error().code == StoreErrc::missing)
      refused = started.error();
    reasons += (reasons.empty() ? "" : "; ") + started.error().message;
  }
  if (refused) return std::unexpected(*refused);
  return fail(StoreErrc::unreachable, "the store " + target.where + " is unreachable: " + reasons,
              "start the database, or promote a standby; no restart of the server is needed");
}

StoreStatus PostgresqlConnection::start(std::chrono::milliseconds timeout) {
  auto* connection = connection_.get();
  if (connection == nullptr) return gone("no memory");
  // The messages of the server go nowhere; that there was a warning is remembered.
  PQsetNoticeReceiver(
      connection,
      [](void* self, const PGresult* notice) {
        const auto* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
        if (severity != nullptr && std::string_view(severity) == "WARNING")
          static_cast<PostgresqlConnection*>(self)->warned_ = true;
      },
      this);
  auto wanted = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (wanted == PGRES_POLLING_FAILED) {
      const auto said = one_line(PQerrorMessage(connection));
      broken_ = true;
      // libpq gives no SQLSTATE here.
      if (said.find("does not exist") != std::string::npos && said.find("database") != std::string::npos)
        return fail(StoreErrc::missing, said, "create the database: createdb --owner USER DATABASE");
      if (said.find("authentication failed") != std::string::npos || said.find("pg_hba.conf") != std::string::npos ||
          said.find("no password supplied") != std::string::npos || said.find("role \"") != std::string::npos)
        return fail(StoreErrc::permission, said, "see pg_hba.conf of the database, and PGPASSFILE for a password");
      return fail(StoreErrc::unreachable, said);
    }
    if (!wait_for(PQsocket(connection), wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_))
      return gone("no answer in time");
    wanted = PQconnectPoll(connection);
  }
  if (PQsetnonblocking(connection, 1) != 0) return gone(one_line(PQerrorMessage(connection)));
  // A commit is on the primary's disk, and on the standby's if one is configured, when it returns. Locks end on the
  // server too when we have given up. No statement_timeout: it would end the wait for a standby by an acknowledgement.
  const auto limit = std::to_string(timeout.count());
  return execute(
      "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', "
      "'local'); SET lock_timeout = " +
      limit + "; SET idle_in_transaction_session_timeout = " + limit);
}

StoreStatus PostgresqlConnection::wait(short events) {
  if (wait_for(socket(), events, deadline_)) return {};
  return gone("no answer in time");
}

std::unexpected<StoreError> PostgresqlConnection::gone(const std::string& why) {
  broken_ = true;
  return fail(StoreErrc::unreachable, "the store " + where_ + " does not answer: " + why,
              "start the database, or promote a standby; no restart of the server is needed");
}

StoreResult<Rows> PostgresqlConnection::receive() {
  auto* connection = connection_.get();
  while (true) {
    const auto flushed = PQflush(connection);
    if (flushed < 0) return gone(one_line(PQerrorMessage(connection)));
    if (flushed > 0) {
      PAKE_TRYV(wait(POLLIN | POLLOUT));
    } else {
      if (PQisBusy(connection) == 0) break;
      PAKE_TRYV(wait(POLLIN));
    }
    if (PQconsumeInput(connection) == 0) return gone(one_line(PQerrorMessage(connection)));
  }
  // The first failure counts, else the last answer; every answer is taken.
  Rows last(nullptr);
  std::optional<StoreError> failed;
  while (true) {
    while (PQisBusy(connection) != 0) {
      PAKE_TRYV(wait(POLLIN));
      if (PQconsumeInput(connection) == 0) return gone(one_line(PQerrorMessage(connection)));
    }
    auto* result = PQgetResult(connection);
    if (result == nullptr) break;
    Rows rows(result);
    const auto status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      if (!failed) failed = failure(result).error();
    } else {
      last = std::move(rows);
    }
  }
  if (failed) return std::unexpected(std::move(*failed));
  return last;
}

std::unexpected<StoreError> PostgresqlConnection::failure(const PGresult* result) {
  const auto* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string state = field == nullptr ? "" : field;
  const auto* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const auto said = one_line(primary == nullptr ? PQresultErrorMessage(result) : primary);
  const auto message = "the store " + where_ + ": " + said;
  if (PQstatus(connection_.get()) == CONNECTION_BAD || state.empty() || state.starts_with("08") ||
      state.starts_with("57P"))
    return gone(said);
  if (state == "25006") {  // the node has become a standby
    broken_ = true;
    return fail(StoreErrc::read_only, message, "the node takes no changes any more: name all nodes in the URL");
  }
  if (state == "25P03") return gone(said);  // idle in a transaction for too long
  if (state == "53100")
    return fail(StoreErrc::full, message, "make room on the database's device; no restart is needed");
  if (state.starts_with("53")) return fail(StoreErrc::busy, message, "raise the limits of the database, or lower ours");
  if (state == "40001" || state == "40P01" || state == "55P03" || state == "57014")
    return fail(StoreErrc::busy, message, "try again");
  if (state == "23505") return fail(StoreErrc::exists, message);
  if (state == "42P01" || state == "42703")
    return fail(StoreErrc::corrupt, message, "a table of the store is gone: restore the database from a backup");
  if (state == "42501" || state.starts_with("28"))
    return fail(StoreErrc::permission, message, "grant the user of the URL its tables: it should own the database");
  if (state == "XX001" || state == "XX002")
    return fail(StoreErrc::corrupt, message, "restore the database from a backup");
  return fail(StoreErrc::io, message, "see the database's log");
}

StoreResult<Rows> PostgresqlConnection::query(const char* sql, const Parameters& parameters) {
  auto* connection = connection_.get();
  if (broken_) return gone("the connection is gone");
  const auto count = parameters.values_.size();
  auto& name = prepared_[sql];
  if (name.empty()) {
    std::vector<Oid> types;
    for (const auto& value : parameters.values_) types.push_back(value.type);
    auto fresh = "pake_" + std::to_string(prepared_.size());
    if (PQsendPrepare(connection, fresh.c_str(), sql, static_cast<int>(count), types.data()) == 0)
      return gone(one_line(PQerrorMessage(connection)));
    PAKE_TRYV(receive());
    name = std::move(fresh);
  }
  std::vector<const char*> values;
  std::vector<int> sizes, formats(count, kBinary);
  for (const auto& value : parameters.values_) {
    const auto* data = value.bytes.empty() ? "" : reinterpret_cast<const char*>(value.bytes.data());
    values.push_back(value.is_null ? nullptr : data);
    sizes.push_back(static_cast<int>(value.bytes.size()));
  }
  if (PQsendQueryPrepared(connection, name.c_str(), static_cast<int>(count), values.data(), sizes.data(),
                          formats.data(), kBinary) == 0)
    return gone(one_line(PQerrorMessage(connection)));
  return receive();
}

StoreStatus PostgresqlConnection::execute(const std::string& sql) {
  if (broken_) return gone("the connection is gone");
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return gone(one_line(PQerrorMessage(connection_.get())));
  PAKE_TRYV(receive());
  return {};
}

StoreStatus PostgresqlConnection::commit() {
  warned_ = false;
  if (broken_) return gone("the connection is gone");
  if (PQsendQuery(connection_.get(), "COMMIT") == 0) return gone(one_line(PQerrorMessage(connection_.get())));
  PAKE_TRY(const auto done, receive());
  if (done.command() != "COMMIT") return fail(StoreErrc::io, "the store " + where_ + " undid the change", "try again");
  if (warned_) return gone("the change is kept on the primary, but no standby has confirmed it");
  return {};
}

StoreResult<bool> PostgresqlConnection::take_notifications() {
  auto* connection = connection_.get();
  if (broken_ || PQconsumeInput(connection) == 0) return gone(one_line(PQerrorMessage(connection)));
  bool any = false;
  while (auto* notification = PQnotifies(connection)) {
    PQfreemem(notification);
    any = true;
  }
  return any;
}

}  // namespace pake::store
