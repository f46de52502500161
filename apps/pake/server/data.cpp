#include "server/data.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "options/value.h"
#include "pake/internal/try.h"

namespace pake::cli::server {
namespace {

std::string environment(const char* name) {
  const char* const value = ::secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// systemd's StateDirectory=, the system's place for root, the user's own otherwise.
std::filesystem::path default_directory() {
  if (const auto state = environment("STATE_DIRECTORY"); !state.empty()) return state.substr(0, state.find(':'));
  if (::geteuid() == 0) return "/var/lib/pake";
  if (const auto state = environment("XDG_STATE_HOME"); state.starts_with('/'))
    return std::filesystem::path(state) / "pake" / "server";
  return std::filesystem::path(environment("HOME")) / ".local" / "state" / "pake" / "server";
}

}  // namespace

Settings data_settings(DataOptions& options) {
  auto directory_value = directory(options.directory);
  return {{.flag = "--data",
           .key = "data",
           .value = std::move(directory_value),
           .help = "The directory that holds pake.db and pake.key; /var/lib/pake for root, else "
                   "~/.local/state/pake/server"},
          {.flag = "--store",
           .key = "store",
           .value = text(options.store, "STORE"),
           .help = "The store, if it is not DIR/pake.db: a path, or a postgresql:// URL without a password"},
          {.flag = "--key-file",
           .key = "key_file",
           .value = file(options.key_file),
           .help = "The key file, if it is not DIR/pake.key"}};
}

store::DataPlace place_of(const DataOptions& options) {
  store::DataPlace place;
  place.directory = options.directory ? std::filesystem::path(*options.directory) : default_directory();
  place.store = options.store.value_or("");
  if (options.key_file) {
    place.key_file = *options.key_file;
    return place;
  }
  const auto credentials = environment("CREDENTIALS_DIRECTORY");
  std::error_code ignored;
  if (credentials.empty()) return place;
  const auto given = std::filesystem::path(credentials) / "pake.key";
  if (!std::filesystem::exists(given, ignored)) return place;
  place.key_file = given;
  place.key_file_place = store::KeyFilePlace::system_credential;
  return place;
}

Problem to_problem(store::StoreError error) {
  using store::StoreErrc;
  const bool is_wish = error.code == StoreErrc::not_found || error.code == StoreErrc::exists ||
                       error.code == StoreErrc::conflict || error.code == StoreErrc::invitation_gone;
  return {.exit_code = is_wish ? kExitFailed : kExitStore,
          .error = std::move(error.message),
          .hint = std::move(error.hint)};
}

Expected<Data> to_data(store::StoreResult<store::OpenedData> opened) {
  if (!opened) return std::unexpected(to_problem(std::move(opened.error())));
  auto keyring = pake::server::Keyring::make(std::move(opened->keys));
  if (!keyring) return std::unexpected(to_problem(std::move(keyring.error())));
  return Data{
      .store = std::move(opened->store), .keyring = std::move(*keyring), .is_first_start = opened->is_first_start};
}

Expected<Data> open_data(const DataOptions& options) { return to_data(store::open_data(place_of(options))); }

store::Time wall_now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

}  // namespace pake::cli::server
