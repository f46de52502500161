// A server's data as commands name it: --data DIR, and what may stand elsewhere.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "options/setting.h"
#include "pake/server/keyring.h"
#include "pake/store/data.h"
#include "process/problem.h"

namespace pake::cli::server {

struct DataOptions {
  std::optional<std::string> directory = {};
  std::optional<std::string> store = {};     // a path or a postgresql:// URL
  std::optional<std::string> key_file = {};  // "$CREDENTIALS_DIRECTORY/pake.key" of systemd is found without it
};

/// --data, --store, --key-file; with keys for a configuration file.
[[nodiscard]] Settings data_settings(DataOptions& options);

[[nodiscard]] store::DataPlace place_of(const DataOptions& options);

/// What is wrong with the store or the key file is exit code 9; what is wrong with the wish (no such user) is 1.
[[nodiscard]] Problem to_problem(store::StoreError error);

struct Data {
  std::shared_ptr<store::CredentialStore> store;
  std::shared_ptr<const pake::server::Keyring> keyring;
  bool is_first_start = false;
};

/// Opens what is there.
[[nodiscard]] Expected<Data> open_data(const DataOptions& options);
[[nodiscard]] Expected<Data> to_data(store::StoreResult<store::OpenedData> opened);

[[nodiscard]] store::Time wall_now();

}  // namespace pake::cli::server
