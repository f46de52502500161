// A file system for SQLite that fails when told to, and a power cut that drops what was not synced.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/rng.h"

namespace pake::store::testing {

/// Registered under a name of its own while it lives. It stands on the system's file system; syncs are not passed on,
/// since only its own power cuts count.
class FaultVfs {
 public:
  FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  ~FaultVfs();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Writes, truncations and syncs so far.
  [[nodiscard]] std::uint64_t operations() const;
  /// The next `count` operations from number `from` on fail with SQLite's `code`.
  void fail(std::uint64_t from, std::uint64_t count, int code);
  /// From operation number `from` on nothing works any more: the power goes.
  void cut_power_at(std::uint64_t from);
  [[nodiscard]] bool power_is_cut() const;
  /// The power is back: of what was not synced each write is there or not, as `rng` says. All files must be closed.
  void restore_power(Rng& rng);

 private:
  struct Undo {
    std::uint64_t offset;
    Buffer before;
    std::uint64_t size_before;
  };
  friend struct FaultFile;
  friend struct FaultCalls;

  /// Counts one operation; SQLITE_OK or how it fails.
  int operate();
  [[nodiscard]] int dead_code() const;

  std::string name_;
  sqlite3_vfs vfs_{};
  sqlite3_vfs* real_;
  mutable std::mutex mutex_;
  std::uint64_t operations_ = 0, fail_from_ = 0, fail_count_ = 0, cut_from_ = UINT64_MAX;
  int fail_code_ = SQLITE_IOERR;
  bool cut_ = false;
  std::map<std::string, std::vector<Undo>> unsynced_;
};

}  // namespace pake::store::testing
