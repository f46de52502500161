#include "pake/store/data.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "files.h"
#include "pake/internal/try.h"
#include "pake/store/postgresql.h"
#include "pake/store/sealing.h"
#include "pake/store/sqlite.h"

namespace pake::store {
namespace {

bool is_url(const std::string& store) { return store.starts_with("postgresql://") || store.starts_with("postgres://"); }

StoreResult<std::unique_ptr<CredentialStore>> open_store(const DataPlace& place) {
  const auto store = place.store_or_default();
  if (is_url(store)) return open_postgresql({.url = store});
  SqliteOptions options;
  options.path = store;
  return open_sqlite(options);
}

StoreResult<std::unique_ptr<CredentialStore>> create_store(const DataPlace& place, const StoreSeed& seed) {
  const auto store = place.store_or_default();
  if (is_url(store)) return create_postgresql({.url = store}, seed);
  SqliteOptions options;
  options.path = store;
  return create_sqlite(options, seed);
}

/// The key file of a first start before its store is there: renamed when it is.
std::filesystem::path unfinished(const std::filesystem::path& key_file) {
  auto path = key_file;
  path += ".new";
  return path;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

StoreStatus rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (error) return fail_by_errno(error.value(), "rename " + from.string());
  return sync_directory_of(to);
}

StoreStatus make_directory(const std::filesystem::path& directory) {
  if (directory.empty() || is_there(directory)) return {};
  std::error_code error;
  if (!directory.parent_path().empty()) std::filesystem::create_directories(directory.parent_path(), error);
  if (error) return fail_by_errno(error.value(), "make the directory " + directory.parent_path().string());
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_by_errno(errno, "make the directory " + directory.string());
  return sync_directory_of(directory);
}

StoreResult<OpenedData> joined(KeyFile keys, StoreResult<std::unique_ptr<CredentialStore>> store, bool is_first_start) {
  if (!store) return std::unexpected(std::move(store.error()));
  PAKE_TRYV(require_same_key_file(keys, (*store)->info().key_file, (*store)->info().where));
  return OpenedData{.keys = std::move(keys), .store = std::move(*store), .is_first_start = is_first_start};
}

bool is_neither_there(const DataPlace& place, const StoreError& error) {
  return error.code == StoreErrc::missing && !is_there(place.key_file_or_default());
}

/// Held by whoever makes a store and its key file: one first start in a directory at a time.
StoreResult<Descriptor> lock_directory(const std::filesystem::path& directory) {
  Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int locked = -1;
  while (opened && (locked = ::flock(opened.get(), LOCK_EX)) != 0 && errno == EINTR) {
  }
  if (locked != 0) return fail_by_errno(errno, "lock the directory " + directory.string());
  return opened;
}

/// What a first start that was killed has left beside the key file.
void remove_leftovers(const std::filesystem::path& key_file) {
  const auto prefix = temporary_prefix(unfinished(key_file)).filename().string();
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(directory_of(key_file), ignored), end; !ignored && at != end;
       at.increment(ignored)) {
    std::error_code ignored_too;
    if (at->path().filename().string().starts_with(prefix)) std::filesystem::remove(at->path(), ignored_too);
  }
}

StoreResult<OpenedData> first_start(const DataPlace& place, const FirstStart& first, Time now, Rng& rng) {
  const auto key_file = place.key_file_or_default();
  PAKE_TRYV(make_directory(place.directory));
  PAKE_TRY(const auto lock, lock_directory(directory_of(key_file)));
  if (auto opened = open_data(place); opened || !is_neither_there(place, opened.error()))
    return opened;  // by another one
  remove_leftovers(key_file);
  auto keys = KeyFile::generate(now, rng);
  PAKE_TRY(auto made, first.make_keys(1));
  for (auto& entry : made) PAKE_TRYV(keys.add(std::move(entry)));
  // The store comes second, and the key file takes its name last: at every moment a crash leaves something from which
  // the next start goes on, and a key file without a store always is a store that was lost.
  PAKE_TRYV(write_file(unfinished(key_file), keys.encode().reveal(), Replace::yes));
  auto store = create_store(place, make_store_seed(keys, first.parameters, now, rng));
  if (!store) return std::unexpected(std::move(store.error()));
  PAKE_TRYV(rename_durably(unfinished(key_file), key_file));
  return joined(std::move(keys), std::move(store), true);
}

std::unexpected<StoreError> fail_key_file_is_gone(const DataPlace& place) {
  return fail(StoreErrc::key_file_missing,
              "the store " + place.store_or_default() + " is there, but its key file " +
                  place.key_file_or_default().string() + " is not",
              "put the key file back from a backup; without it no credential opens");
}

std::unexpected<StoreError> fail_store_is_gone(const DataPlace& place) {
  return fail(StoreErrc::missing,
              "the key file " + place.key_file_or_default().string() + " is there, but its store " +
                  place.store_or_default() + " is not",
              "put the store back from a backup, or, to begin without any user, move the key file away");
}

}  // namespace

std::string DataPlace::store_or_default() const { return store.empty() ? (directory / "pake.db").string() : store; }

std::filesystem::path DataPlace::key_file_or_default() const {
  return key_file.empty() ? directory / "pake.key" : key_file;
}

StoreResult<OpenedData> open_data(const DataPlace& place) {
  const auto key_file = place.key_file_or_default();
  auto keys = read_key_file(key_file, place.key_file_place);
  if (!keys && keys.error().code == StoreErrc::key_file_missing) {
    auto store = open_store(place);
    if (!store && store.error().code == StoreErrc::missing)
      return fail(StoreErrc::missing,
                  "there is no store " + place.store_or_default() + " and no key file " + key_file.string(),
                  "name the directory by --data; the first start of `pake serve` makes both");
    if (!store) return std::unexpected(std::move(store.error()));
    // Killed between the last two steps of its first start.
    auto left = read_key_file(unfinished(key_file));
    if (!left || left->id() != (*store)->info().key_file) return fail_key_file_is_gone(place);
    PAKE_TRYV(rename_durably(unfinished(key_file), key_file));
    return joined(std::move(*left), std::move(store), false);
  }
  if (!keys) return std::unexpected(std::move(keys.error()));
  auto store = open_store(place);
  if (!store && store.error().code == StoreErrc::missing) return fail_store_is_gone(place);
  return joined(std::move(*keys), std::move(store), false);
}

StoreResult<OpenedData> open_or_create_data(const DataPlace& place, const FirstStart& first, Time now, Rng& rng) {
  auto opened = open_data(place);
  if (opened || !is_neither_there(place, opened.error())) return opened;
  return first_start(place, first, now, rng);
}

StoreResult<OpenedData> create_store_under(const DataPlace& place, const CredentialParameters& parameters, Time now,
                                           Rng& rng) {
  PAKE_TRY(auto keys, read_key_file(place.key_file_or_default(), place.key_file_place));
  auto store = create_store(place, make_store_seed(keys, parameters, now, rng));
  return joined(std::move(keys), std::move(store), true);
}

}  // namespace pake::store
