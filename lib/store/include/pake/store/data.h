// A server's data: its store and its key file, opened together, or made together at the first start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pake/base/rng.h"
#include "pake/store/credential_store.h"
#include "pake/store/key_file.h"

namespace pake::store {

/// Where they are. A store is a path, or a URL that begins with `postgresql://`.
struct DataPlace {
  std::filesystem::path directory{};  // holds pake.db and pake.key, unless the next two say otherwise
  std::string store{};
  std::filesystem::path key_file{};
  KeyFilePlace key_file_place = KeyFilePlace::own;

  [[nodiscard]] std::string store_or_default() const;
  [[nodiscard]] std::filesystem::path key_file_or_default() const;
};

struct OpenedData {
  KeyFile keys;
  std::unique_ptr<CredentialStore> store;
  bool is_first_start = false;  // both were made now: say where the key file is, and that nothing works without it
};

/// Opens both and checks that they belong together. Of what is missing, the error says which and what to do.
[[nodiscard]] StoreResult<OpenedData> open_data(const DataPlace& place);

/// What a first start makes.
struct FirstStart {
  /// The protocol's keys of an epoch, a suite each.
  std::function<StoreResult<std::vector<EpochKeys>>(std::uint32_t epoch)> make_keys;
  CredentialParameters parameters;  // under which credentials are made from now on; the epoch is 1
};

/// open_data, or, if neither file is there, makes the directory (0700), the key file and the store. A first start
/// that was killed goes on where it was. A store whose key file is gone, or the other way round, is an error.
[[nodiscard]] StoreResult<OpenedData> open_or_create_data(const DataPlace& place, const FirstStart& first, Time now,
                                                          Rng& rng);

/// Makes an empty store under a key file that is there already: a database to begin anew with, or a key file that was
/// handed in by systemd. exists: the store is there.
[[nodiscard]] StoreResult<OpenedData> create_store_under(const DataPlace& place, const CredentialParameters& parameters,
                                                         Time now, Rng& rng);

}  // namespace pake::store
