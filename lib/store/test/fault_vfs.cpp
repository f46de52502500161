#include "fault_vfs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <new>

namespace pake::store::testing {

/// What SQLite holds: the real file lies behind it in the same allocation.
struct FaultFile {
  sqlite3_file base;
  FaultVfs* vfs;
  std::string* path;  // null for temporary files, which nobody misses
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

struct FaultCalls {
  static FaultFile& of(sqlite3_file* file) { return *reinterpret_cast<FaultFile*>(file); }
  static FaultVfs& of(sqlite3_vfs* vfs) { return *static_cast<FaultVfs*>(vfs->pAppData); }

  static int close(sqlite3_file* file) {
    auto& self = of(file);
    const auto code = self.real()->pMethods == nullptr ? SQLITE_OK : self.real()->pMethods->xClose(self.real());
    delete self.path;
    return code;
  }
  static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    if (const auto code = of(file).vfs->dead_code(); code != SQLITE_OK) return code;
    return of(file).real()->pMethods->xRead(of(file).real(), out, size, offset);
  }
  static void remember(FaultFile& self, std::uint64_t offset, std::uint64_t size) {
    if (self.path == nullptr) return;
    sqlite3_int64 size_before = 0;
    self.real()->pMethods->xFileSize(self.real(), &size_before);
    const auto file_size = static_cast<std::uint64_t>(size_before);
    Buffer before(offset < file_size ? std::min(size, file_size - offset) : 0);
    if (!before.empty())
      self.real()->pMethods->xRead(self.real(), before.data(), static_cast<int>(before.size()),
                                   static_cast<sqlite3_int64>(offset));
    const std::scoped_lock lock(self.vfs->mutex_);
    self.vfs->unsynced_[*self.path].push_back(
        {.offset = offset, .before = std::move(before), .size_before = file_size});
  }
  static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    auto& self = of(file);
    if (const auto code = self.vfs->operate(); code != SQLITE_OK) return code;
    remember(self, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size));
    return self.real()->pMethods->xWrite(self.real(), data, size, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    auto& self = of(file);
    if (const auto code = self.vfs->operate(); code != SQLITE_OK) return code;
    remember(self, static_cast<std::uint64_t>(size), UINT64_MAX / 2);
    return self.real()->pMethods->xTruncate(self.real(), size);
  }
  static int sync(sqlite3_file* file, int /*flags*/) {
    auto& self = of(file);
    if (const auto code = self.vfs->operate(); code != SQLITE_OK) return code;
    const std::scoped_lock lock(self.vfs->mutex_);
    if (self.path != nullptr) self.vfs->unsynced_.erase(*self.path);
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* file, sqlite3_int64* out) {
    return of(file).real()->pMethods->xFileSize(of(file).real(), out);
  }
  static int lock(sqlite3_file* file, int level) { return of(file).real()->pMethods->xLock(of(file).real(), level); }
  static int unlock(sqlite3_file* file, int level) {
    return of(file).real()->pMethods->xUnlock(of(file).real(), level);
  }
  static int check_reserved(sqlite3_file* file, int* out) {
    return of(file).real()->pMethods->xCheckReservedLock(of(file).real(), out);
  }
  static int control(sqlite3_file* file, int op, void* argument) {
    return of(file).real()->pMethods->xFileControl(of(file).real(), op, argument);
  }
  static int sector_size(sqlite3_file* file) { return of(file).real()->pMethods->xSectorSize(of(file).real()); }
  static int characteristics(sqlite3_file* file) {
    // Neither atomic writes nor safe appends: nothing is promised but what was synced.
    return of(file).real()->pMethods->xDeviceCharacteristics(of(file).real()) & SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
  }
  static int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return of(file).real()->pMethods->xShmMap(of(file).real(), page, size, extend, out);
  }
  static int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
    return of(file).real()->pMethods->xShmLock(of(file).real(), offset, n, flags);
  }
  static void shm_barrier(sqlite3_file* file) { of(file).real()->pMethods->xShmBarrier(of(file).real()); }
  static int shm_unmap(sqlite3_file* file, int remove) {
    return of(file).real()->pMethods->xShmUnmap(of(file).real(), remove);
  }

  static int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
    static const sqlite3_io_methods kMethods = {
        2,         close,          read,    write,       truncate,        sync,    file_size, lock,
        unlock,    check_reserved, control, sector_size, characteristics, shm_map, shm_lock,  shm_barrier,
        shm_unmap, nullptr,        nullptr};
    auto& self = of(vfs);
    auto* opened = new (file) FaultFile{.base = {nullptr}, .vfs = &self, .path = nullptr};
    if (const auto code = self.dead_code(); code != SQLITE_OK) return code;
    const auto code = self.real_->xOpen(self.real_, name, opened->real(), flags, out_flags);
    if (code != SQLITE_OK) return code;
    if (name != nullptr && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0) opened->path = new std::string(name);
    opened->base.pMethods = &kMethods;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    if (const auto code = of(vfs).operate(); code != SQLITE_OK) return code;
    {
      const std::scoped_lock lock(of(vfs).mutex_);
      of(vfs).unsynced_.erase(name);
    }
    return of(vfs).real_->xDelete(of(vfs).real_, name, sync_directory);
  }
};

FaultVfs::FaultVfs() : real_(sqlite3_vfs_find(nullptr)) {
  static std::atomic<unsigned> counter = 0;
  name_ = "fault-" + std::to_string(counter.fetch_add(1));
  vfs_ = *real_;
  vfs_.zName = name_.c_str();
  vfs_.pNext = nullptr;
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(FaultFile)) + real_->szOsFile;
  vfs_.xOpen = FaultCalls::open;
  vfs_.xDelete = FaultCalls::remove;
  // The system's other calls know their VFS by its data: hand them the real one.
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* path, int flags, int* out) {
    auto* real = FaultCalls::of(vfs).real_;
    return real->xAccess(real, path, flags, out);
  };
  vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* path, int size, char* out) {
    auto* real = FaultCalls::of(vfs).real_;
    return real->xFullPathname(real, path, size, out);
  };
  sqlite3_vfs_register(&vfs_, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }

std::uint64_t FaultVfs::operations() const {
  const std::scoped_lock lock(mutex_);
  return operations_;
}

void FaultVfs::fail(std::uint64_t from, std::uint64_t count, int code) {
  const std::scoped_lock lock(mutex_);
  fail_from_ = from;
  fail_count_ = count;
  fail_code_ = code;
}

void FaultVfs::cut_power_at(std::uint64_t from) {
  const std::scoped_lock lock(mutex_);
  cut_from_ = from;
}

bool FaultVfs::power_is_cut() const {
  const std::scoped_lock lock(mutex_);
  return cut_;
}

int FaultVfs::operate() {
  const std::scoped_lock lock(mutex_);
  const auto number = operations_++;
  cut_ = cut_ || number >= cut_from_;
  if (cut_) return SQLITE_IOERR;
  return number >= fail_from_ && number - fail_from_ < fail_count_ ? fail_code_ : SQLITE_OK;
}

int FaultVfs::dead_code() const {
  const std::scoped_lock lock(mutex_);
  return cut_ ? SQLITE_IOERR : SQLITE_OK;
}

void FaultVfs::restore_power(Rng& rng) {
  const std::scoped_lock lock(mutex_);
  for (auto& [path, writes] : unsynced_) {
    const auto file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) continue;
    std::array<std::uint8_t, 1> mood{};
    rng.fill(mood);  // all, none or some of the writes are lost
    for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
      std::array<std::uint8_t, 1> drawn{};
      rng.fill(drawn);
      const bool lost = mood[0] % 3 == 0 || (mood[0] % 3 == 1 && drawn[0] % 2 == 0);
      if (!lost) continue;
      static_cast<void>(::pwrite(file, write->before.data(), write->before.size(), static_cast<off_t>(write->offset)));
      // What a lost write had appended is gone only if everything behind it is.
      if (mood[0] % 3 == 0) static_cast<void>(::ftruncate(file, static_cast<off_t>(write->size_before)));
    }
    ::close(file);
    ::unlink((path + "-shm").c_str());
  }
  unsynced_.clear();
  cut_ = false;
  cut_from_ = UINT64_MAX;
}

}  // namespace pake::store::testing
