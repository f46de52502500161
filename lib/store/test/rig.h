// What the tests of this room share: a directory that goes with them, keys, a clock that stands, rows that are sealed.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "pake/store/credential_store.h"
#include "pake/store/key_file.h"
#include "pake/store/sealing.h"
#include "pake/store/sqlite.h"
#include "pake/testing/fixed_rng.h"

namespace pake::store::testing {

using pake::testing::SeededRng;

inline constexpr Time kNow = Time(std::chrono::milliseconds(1'790'000'000'000));
inline constexpr CredentialParameters kFirst = {.epoch = 1, .suite = 1, .ksf_profile = 2};
inline constexpr CredentialParameters kSecond = {.epoch = 2, .suite = 1, .ksf_profile = 2};

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// A database server, or a directory: stores are made in it and opened again.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;
  [[nodiscard]] virtual StoreResult<std::unique_ptr<CredentialStore>> create(const StoreSeed& seed) = 0;
  [[nodiscard]] virtual StoreResult<std::unique_ptr<CredentialStore>> open() = 0;
  std::uint64_t max_ledger_rows = 1'000'000;
};

class SqliteBackend final : public Backend {
 public:
  StoreResult<std::unique_ptr<CredentialStore>> create(const StoreSeed& seed) override {
    return create_sqlite(options(), seed);
  }
  StoreResult<std::unique_ptr<CredentialStore>> open() override { return open_sqlite(options()); }
  [[nodiscard]] SqliteOptions options() const {
    SqliteOptions options;
    options.path = directory / "pake.db";
    options.max_ledger_rows = max_ledger_rows;
    return options;
  }
  TemporaryDirectory directory;
};

[[nodiscard]] inline std::string explain(const StoreError& error) {
  return std::string(to_string(error.code)) + ": " + error.message + " | " + error.hint;
}

/// The value, or the test ends with the words of the error.
template <class T>
T must(StoreResult<T> result) {
  if (!result) throw std::runtime_error(explain(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class T>
[[nodiscard]] std::optional<StoreErrc> code_of(const StoreResult<T>& result) {
  if (result) return std::nullopt;
  return result.error().code;
}

[[nodiscard]] inline AuditNote note(std::string action, std::string name = {}, Time at = kNow) {
  return {.at = at, .actor = "test", .action = std::move(action), .name = std::move(name)};
}

/// A key file and randomness from a seed.
struct Keys {
  explicit Keys(std::uint64_t seed) : rng(seed), file(KeyFile::generate(kNow, rng)) {}

  [[nodiscard]] UserRow sealed(UserRow row, std::string_view record) {
    must(seal_user(file, row, as_bytes(record), rng));
    return row;
  }
  [[nodiscard]] UserRow user(std::string_view name, std::string_view record) {
    return sealed(new_user(name, kFirst, kNow, rng), record);
  }
  [[nodiscard]] InvitationRow invitation(std::string selector, std::string name, Time expires_at) {
    InvitationRow row{
        .selector = std::move(selector), .name = std::move(name), .expires_at = expires_at, .created_at = kNow};
    must(seal_invitation(file, row, as_bytes("acid-acid-acid-acid"), rng));
    return row;
  }
  [[nodiscard]] std::string record_of(const UserRow& row) const {
    const auto record = must(open_user(file, row));
    return record ? std::string(as_text(record->reveal())) : "(none)";
  }
  [[nodiscard]] BucketKey bucket(std::string_view name) const {
    return file.bucket_key(BucketKind::account, as_bytes(name));
  }

  SeededRng rng;
  KeyFile file;
};

}  // namespace pake::store::testing
