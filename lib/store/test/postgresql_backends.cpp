#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "backends.h"
#include "pake/store/postgresql.h"
#include "postgresql_server.h"

namespace pake::store::testing {
namespace {

std::string newest_binaries() {
  std::string found;
  std::error_code ignored;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored))
    if (std::filesystem::exists(version.path() / "bin" / "initdb")) found = (version.path() / "bin").string();
  return found;
}

std::expected<std::unique_ptr<Backend>, std::string> make_postgresql() {
  const auto server = PostgresqlServer::get();
  if (!server) return std::unexpected(server.error());
  return std::make_unique<PostgresqlBackend>((*server)->make_database());
}

}  // namespace

std::expected<PostgresqlServer*, std::string> PostgresqlServer::get() {
  static const std::unique_ptr<PostgresqlServer> server(new PostgresqlServer);
  static const auto problem = []() -> std::string {
    server->bin_ = newest_binaries();
    if (server->bin_.empty()) return "there is no PostgreSQL server here (Debian's package postgresql)";
    const auto path = server->directory_.path().string();
    // PostgreSQL refuses to run as root: Debian's package brings a user for it.
    if (::geteuid() == 0 && std::system(("chown postgres " + path).c_str()) != 0) return "there is no user postgres";
    if (!server->run("initdb --no-sync -A trust -U pake -E UTF8 --no-locale -D " + path + "/data"))
      return "initdb failed: see " + path;
    if (!server->start()) return "the PostgreSQL server does not start";
    return "";
  }();
  if (!problem.empty()) return std::unexpected(problem);
  return server.get();
}

PostgresqlServer::~PostgresqlServer() {
  if (!bin_.empty()) stop();
}

bool PostgresqlServer::run(const std::string& command) const {
  const std::string as_whom = ::geteuid() == 0 ? "runuser -u postgres -- " : "";
  // NOLINTNEXTLINE(cert-env33-c): the test's own command
  return std::system(("cd / && " + as_whom + bin_ + "/" + command + " >/dev/null 2>&1 </dev/null").c_str()) == 0;
}

bool PostgresqlServer::start() const {
  const auto path = directory_.path().string();
  // Only processes are killed here, never the machine: what the system has in its cache is kept.
  const auto command = "pg_ctl -w -t 60 -D " + path + "/data -l " + path + "/log -o \"-k " + path +
                       " -c listen_addresses='' -c fsync=off -c max_connections=60\" start";
  // After a kill the processes that are left hold the shared memory for a moment.
  for (int attempt = 0; attempt < 50; ++attempt) {
    if (run(command)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return false;
}

void PostgresqlServer::stop() const {
  static_cast<void>(run("pg_ctl -w -t 60 -m immediate -D " + directory_.path().string() + "/data stop"));
}

void PostgresqlServer::kill() const {
  pid_t process = 0;
  std::ifstream(directory_ / "data/postmaster.pid") >> process;
  if (process <= 1) throw std::runtime_error("the PostgreSQL server is not running");
  ::kill(process, SIGKILL);
}

bool PostgresqlServer::execute(const std::string& database, const std::string& sql) const {
  return run("psql -X -q -h " + directory_.path().string() + " -U pake -d " + database + " -c \"" + sql + "\"");
}

std::string PostgresqlServer::url(const std::string& database) const {
  return "postgresql://pake@/" + database + "?host=" + directory_.path().string();
}

std::string PostgresqlServer::make_database() {
  const auto name = "store" + std::to_string(++databases_);
  if (!execute("postgres", "CREATE DATABASE " + name)) throw std::runtime_error("cannot make a database");
  return url(name);
}

StoreResult<std::unique_ptr<CredentialStore>> PostgresqlBackend::create(const StoreSeed& seed) {
  return create_postgresql({.url = url, .max_ledger_rows = max_ledger_rows}, seed);
}

StoreResult<std::unique_ptr<CredentialStore>> PostgresqlBackend::open() {
  return open_postgresql({.url = url, .max_ledger_rows = max_ledger_rows});
}

std::vector<NamedBackend> backends() { return {{.name = "postgresql", .make = make_postgresql}}; }

}  // namespace pake::store::testing
