#include "pake/files/target.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "pake/crypto/hash.h"
#include "pake/internal/try.h"

namespace pake::files {
namespace {

constexpr std::size_t kHashChunk = 256 * 1024;
constexpr std::size_t kHashAtOnce = 4UL << 20U;
constexpr mode_t kModeOfFolders = 0777;
constexpr std::size_t kManyFiles = 8;     // from which on the whole file system is written rather than each
constexpr std::size_t kMostFolders = 64;  // that are open, since names were given there

// openat2 below `folder`, or ENOSYS if the system does not let us.
int open_beneath(int folder, const std::string& path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0; tries < 16; ++tries) {
    const auto fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN) break;  // a rename went on meanwhile: RESOLVE_BENEATH cannot tell
  }
  return -1;
}

bool is_unsupported(int error) { return error == ENOSYS || error == EPERM || error == E2BIG || error == EINVAL; }

int open_retrying(int folder, const char* name, int flags, mode_t mode = 0) {
  int fd = -1;
  do fd = ::openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

// What may be written as a part: a regular file of ours with no second name.
FileResult<std::uint64_t> check_ours(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_with(errno);
  if (!S_ISREG(status.st_mode) || status.st_nlink != 1 || status.st_uid != ::geteuid())
    return fail(FileError::Kind::not_usable);
  return static_cast<std::uint64_t>(status.st_size);
}

// linkat gives a name only if nothing has it; for file systems whose renameat2 cannot say so.
int rename_by_link(int folder, const char* from, const char* to) {
  if (::linkat(folder, from, folder, to, 0) != 0) return -1;
  static_cast<void>(::unlinkat(folder, from, 0));
  return 0;
}

// Since Linux 5.8.
bool syncfs_tells_errors() {
  static const bool tells = [] {
    utsname system{};
    int major = 0;
    int minor = 0;
    return ::uname(&system) == 0 && std::sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 8));
  }();
  return tells;
}

std::array<timespec, 2> times_of(const Entry& entry) {
  return {{{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
           {.tv_sec = static_cast<time_t>(entry.modified), .tv_nsec = static_cast<long>(entry.nanoseconds)}}};
}

}  // namespace

std::string part_name_of(std::string_view name) {
  if (name.size() + kPartSuffix.size() <= kMaxName) return std::string(name) + std::string(kPartSuffix);
  std::string digits;
  for (const auto byte : crypto::hash(crypto::HashId::sha256, {as_bytes(name)}).reveal()) {
    constexpr std::string_view kHex = "0123456789abcdef";
    digits += kHex[byte >> 4U];
    digits += kHex[byte & 0xfU];
  }
  return digits + std::string(kPartSuffix);
}

Part::Part(std::shared_ptr<const Descriptor> folder, std::string name, std::string part_name, Descriptor file,
           std::uint64_t size) noexcept
    : folder_(std::move(folder)),
      name_(std::move(name)),
      part_name_(std::move(part_name)),
      file_(std::move(file)),
      size_(size) {}

Part& Part::operator=(Part&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(name_, other.name_);
  std::swap(part_name_, other.part_name_);
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  std::swap(hashed_, other.hashed_);
  return *this;
}

Part::~Part() {
  if (file_ && size_ == 0) discard();
}

FileResult<std::uint64_t> Part::hash_some(TreeHash& hash) {
  Buffer chunk(kHashChunk);
  std::uint64_t count = 0;
  while (hashed_ < size_ && count < kHashAtOnce) {
    const auto wanted = std::min<std::uint64_t>(chunk.size(), size_ - hashed_);
    const auto got = ::pread(file_.get(), chunk.data(), wanted, static_cast<off_t>(hashed_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_with(errno);
    if (got == 0) return fail(FileError::Kind::changed);
    hash.update(Bytes(chunk).first(static_cast<std::size_t>(got)));
    hashed_ += static_cast<std::uint64_t>(got);
    count += static_cast<std::uint64_t>(got);
  }
  return count;
}

FileResult<void> Part::begin_anew() {
  if (::ftruncate(file_.get(), 0) != 0) return fail_with(errno);
  size_ = hashed_ = 0;
  return {};
}

FileResult<void> Part::write(Bytes bytes) {
  while (!bytes.empty()) {
    const auto count = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_with(errno);
    size_ += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

FileResult<void> Part::skip(std::uint64_t length) {
  if (::ftruncate(file_.get(), static_cast<off_t>(size_ + length)) != 0) return fail_with(errno);
  size_ += length;
  return {};
}

void Part::discard() noexcept {
  if (!file_) return;
  static_cast<void>(::unlinkat(folder_->get(), part_name_.c_str(), 0));
  const auto closed = std::move(file_);
}

Target::Target(Descriptor root, Walk walk, mode_t umask) noexcept
    : root_(std::make_shared<const Descriptor>(std::move(root))), walk_(walk), umask_(umask) {}

FileResult<Target> Target::open(const std::string& directory, Walk walk) {
  if (::mkdir(directory.c_str(), kModeOfFolders) != 0 && errno != EEXIST) return fail_with(errno);
  Descriptor root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root || ::faccessat(root.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) return fail_with(errno);
  const auto umask = ::umask(0);
  ::umask(umask);
  return Target(std::move(root), walk, umask);
}

FileResult<Descriptor> Target::walk(std::string_view path, Missing missing) const {
  if (walk_ == Walk::by_kernel) {
    Descriptor whole(open_beneath(root_->get(), std::string(path), O_RDONLY | O_DIRECTORY));
    if (whole) return whole;
    if (!is_unsupported(errno) && (errno != ENOENT || missing == Missing::fail)) return fail_with(errno);
  }
  Descriptor here(open_retrying(root_->get(), ".", O_RDONLY | O_DIRECTORY));
  if (!here) return fail_with(errno);
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string name(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (missing == Missing::make && ::mkdirat(here.get(), name.c_str(), kModeOfFolders) != 0 && errno != EEXIST)
      return fail_with(errno);
    Descriptor next(open_retrying(here.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
    if (!next) return fail_with(errno);
    here = std::move(next);
  }
  return here;
}

FileResult<std::shared_ptr<const Descriptor>> Target::open_folder(std::string_view path, Missing missing) {
  if (path.empty()) return root_;
  if (last_folder_ && last_path_ == path) return last_folder_;
  PAKE_TRY(auto folder, walk(path, missing));
  last_folder_ = std::make_shared<const Descriptor>(std::move(folder));
  last_path_ = path;
  return last_folder_;
}

FileResult<Target::Place> Target::place_of(std::string_view path, Missing missing) {
  if (!is_path(path)) return fail(FileError::Kind::system, EINVAL);
  const auto slash = path.rfind('/');
  const auto above = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  PAKE_TRY(auto folder, open_folder(above, missing));
  return Place{.folder = std::move(folder),
               .name = std::string(slash == std::string_view::npos ? path : path.substr(slash + 1))};
}

FileResult<Found> Target::find(std::string_view path) {
  const auto place = place_of(path, Missing::fail);
  if (!place && place.error().number == ENOENT) return Found{};
  if (!place) return std::unexpected(place.error());
  Found found;
  struct stat status{};
  const int folder = place->folder->get();
  if (::fstatat(folder, place->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    found.kind = S_ISREG(status.st_mode)   ? Found::Kind::file
                 : S_ISDIR(status.st_mode) ? Found::Kind::folder
                                           : Found::Kind::other;
    if (found.kind == Found::Kind::file) found.size = static_cast<std::uint64_t>(status.st_size);
  } else if (errno != ENOENT) {
    return fail_with(errno);
  }
  if (::fstatat(folder, part_name_of(place->name).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISREG(status.st_mode))
    found.part_size = static_cast<std::uint64_t>(status.st_size);
  return found;
}

FileResult<Descriptor> Target::open_existing(std::string_view path) {
  PAKE_TRY(const auto place, place_of(path, Missing::fail));
  Descriptor file(open_retrying(place.folder->get(), place.name.c_str(), O_RDONLY | O_NONBLOCK));
  if (!file) return fail_with(errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_with(errno);
  if (!S_ISREG(status.st_mode)) return fail(FileError::Kind::not_usable);
  return file;
}

FileResult<void> Target::make_folder(std::string_view path) {
  if (!is_path(path)) return fail(FileError::Kind::system, EINVAL);
  PAKE_TRYV(open_folder(path, Missing::make));
  return {};
}

void Target::set_time(const Entry& folder) {
  const auto opened = walk(folder.path, Missing::fail);
  if (opened) static_cast<void>(::futimens(opened->get(), times_of(folder).data()));
}

FileResult<Part> Target::open_part(std::string_view path) {
  PAKE_TRY(auto place, place_of(path, Missing::make));
  auto part_name = part_name_of(place.name);
  Descriptor file(open_retrying(place.folder->get(), part_name.c_str(), O_RDWR | O_CREAT | O_NONBLOCK, 0600));
  if (!file && errno == EISDIR) return fail(FileError::Kind::not_usable);
  if (!file) return fail_with(errno);
  PAKE_TRY(const auto size, check_ours(file.get()));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? fail(FileError::Kind::busy) : fail_with(errno);
  // Between open and lock another transfer may have stored or discarded it: its name must still be this file's.
  struct stat named{};
  struct stat held{};
  if (::fstatat(place.folder->get(), part_name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fstat(file.get(), &held) != 0 || named.st_ino != held.st_ino || named.st_dev != held.st_dev)
    return fail(FileError::Kind::busy);
  return Part(std::move(place.folder), std::move(place.name), std::move(part_name), std::move(file), size);
}

FileResult<void> Target::rename(const Part& part, Overwrite overwrite) const {
  const int folder = part.folder_->get();
  const char* const from = part.part_name_.c_str();
  const char* const to = part.name_.c_str();
  if (::renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) return {};
  if ((errno == EINVAL || errno == ENOSYS) && rename_by_link(folder, from, to) == 0) return {};
  if (errno != EEXIST) return fail_with(errno);
  struct stat status{};
  if (overwrite == Overwrite::no || ::fstatat(folder, to, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(status.st_mode) || stored_.contains({status.st_dev, status.st_ino}))
    return fail(FileError::Kind::exists);
  if (::renameat(folder, from, folder, to) != 0) return fail_with(errno);
  return {};
}

FileResult<void> Target::set_bits_and_time(const Part& part, const Entry& entry) const {
  const mode_t wanted = entry.is_private ? (entry.executable ? 0700 : 0600) : (entry.executable ? 0777 : 0666);
  if (::fchmod(part.file_.get(), wanted & ~umask_) != 0) return fail_with(errno);
  static_cast<void>(::futimens(part.file_.get(), times_of(entry).data()));  // a time that the disk cannot hold
  return {};
}

FileResult<void> Target::give_name(Part part, Overwrite overwrite) {
  struct stat status{};
  struct stat named{};
  if (::fstat(part.file_.get(), &status) != 0) return fail_with(errno);
  if (::fstatat(part.folder_->get(), part.part_name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
      named.st_ino != status.st_ino || named.st_dev != status.st_dev)
    return fail(FileError::Kind::changed);  // something else was put in its place
  auto renamed = rename(part, overwrite);
  if (!renamed) {
    if (renamed.error() == FileError::Kind::exists) part.discard();
    return renamed;
  }
  stored_.emplace(status.st_dev, status.st_ino);
  renamed_in_.insert(part.folder_);
  const auto closed = std::move(part.file_);
  return renamed_in_.size() < kMostFolders ? FileResult<void>() : sync_names();
}

FileResult<void> Target::store(Part part, const Entry& entry, Overwrite overwrite) {
  PAKE_TRYV(set_bits_and_time(part, entry));
  if (::fsync(part.file_.get()) != 0) return fail_with(errno);
  return give_name(std::move(part), overwrite);
}

FileResult<void> Target::set_down(Part part, const Entry& entry) {
  PAKE_TRYV(set_bits_and_time(part, entry));
  set_down_.push_back(std::move(part));
  return {};
}

std::vector<FileResult<void>> Target::store_all(Overwrite overwrite) {
  std::vector<FileResult<void>> results;
  results.reserve(set_down_.size());
  const bool is_synced = sync_at_once();
  for (auto& part : std::exchange(set_down_, {})) {
    if (!is_synced && ::fsync(part.file_.get()) != 0)
      results.push_back(fail_with(errno));
    else
      results.push_back(give_name(std::move(part), overwrite));
  }
  return results;
}

// Whether all that was set down is on the disk, by one call a file system: of many small files each fsync would wait
// for the disk anew. False if that says nothing, or if each is to be asked what has become of it.
bool Target::sync_at_once() const {
  if (set_down_.size() < kManyFiles || !syncfs_tells_errors()) return false;
  std::set<dev_t> synced;
  for (const auto& part : set_down_) {
    struct stat status{};
    if (::fstat(part.file_.get(), &status) != 0) return false;
    if (synced.insert(status.st_dev).second && ::syncfs(part.file_.get()) != 0) return false;
  }
  return true;
}

FileResult<void> Target::sync_names() {
  const auto folders = std::exchange(renamed_in_, {});
  std::set<dev_t> synced;
  for (const auto& folder : folders) {
    struct stat status{};
    if (folders.size() >= kManyFiles && syncfs_tells_errors() && ::fstat(folder->get(), &status) == 0) {
      if (synced.contains(status.st_dev)) continue;
      if (::syncfs(folder->get()) == 0) {
        synced.insert(status.st_dev);
        continue;
      }
    }
    if (::fsync(folder->get()) != 0 && errno != EINVAL) return fail_with(errno);
  }
  return {};
}

}  // namespace pake::files
