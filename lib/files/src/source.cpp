#include "pake/files/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <system_error>

#include "pake/internal/try.h"

namespace pake::files {
namespace {

constexpr std::size_t kHashChunk = 256 * 1024;
constexpr std::size_t kHashAtOnce = 4UL << 20U;
constexpr mode_t kAnyExecute = S_IXUSR | S_IXGRP | S_IXOTH;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr blkcnt_t kBlock = 512;

std::string words_of(int error) { return std::generic_category().message(error); }

struct FreeDeleter {
  void operator()(char* text) const noexcept { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc)
};
struct DirCloser {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};

// What `path` is called at the other side; "" for the root of the file system.
std::string name_of(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  auto name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  if (!name.empty() && name != "." && name != "..") return name;
  const std::unique_ptr<char, FreeDeleter> real(::realpath(path.c_str(), nullptr));
  if (!real) return "";
  const std::string whole = real.get();
  return whole.substr(whole.rfind('/') + 1);
}

class Scanner {
 public:
  explicit Scanner(std::span<const std::string> excluded) : excluded_(excluded) {}

  std::expected<void, ScanProblem> take(const std::string& path) {
    const auto name = name_of(path);
    if (!is_name(name)) return std::unexpected(ScanProblem{path, "it cannot be sent under this name"});
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return std::unexpected(ScanProblem{path, words_of(errno)});
    if (S_ISDIR(status.st_mode)) {
      DIR* const dir = ::opendir(path.c_str());
      if (dir == nullptr) return std::unexpected(ScanProblem{path, words_of(errno)});
      add(name, path, EntryKind::folder, status);
      return walk(dir, path, name, 1);
    }
    if (!S_ISREG(status.st_mode)) return std::unexpected(ScanProblem{path, "it is neither a file nor a folder"});
    if (::access(path.c_str(), R_OK) != 0) return std::unexpected(ScanProblem{path, words_of(errno)});
    add(name, path, EntryKind::file, status);
    return {};
  }

  std::expected<Source, ScanProblem> finish() {
    std::vector<std::size_t> order(source_.entries.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](std::size_t i) -> const std::string& { return source_.entries[i].path; });
    Source sorted{.entries = {}, .locals = {}, .left_out = std::move(source_.left_out)};
    sorted.entries.reserve(order.size());
    sorted.locals.reserve(order.size());
    std::size_t list_size = 0;
    for (const auto i : order) {
      if (!sorted.entries.empty() && sorted.entries.back().path == source_.entries[i].path)
        return std::unexpected(ScanProblem{source_.locals[i].path, "something of the same name is sent already"});
      list_size += encoded_size(source_.entries[i]);
      sorted.entries.push_back(std::move(source_.entries[i]));
      sorted.locals.push_back(std::move(source_.locals[i]));
    }
    if (order.size() > kMaxEntries || list_size > kMaxListSize)
      return std::unexpected(ScanProblem{"",
                                         "these are more files than can be sent at once: at most 1,000,000, whose "
                                         "names take 64 MiB; send an archive"});
    return sorted;
  }

 private:
  void add(std::string path, std::string local, EntryKind kind, const struct stat& status) {
    Entry entry{.kind = kind, .path = std::move(path)};
    if (kind == EntryKind::file) {
      entry.size = static_cast<std::uint64_t>(status.st_size);
      entry.executable = (status.st_mode & kAnyExecute) != 0;
      entry.is_private = (status.st_mode & kOthers) == 0;
    }
    entry.modified = status.st_mtim.tv_sec;
    entry.nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
    source_.entries.push_back(std::move(entry));
    source_.locals.push_back({.path = std::move(local), .device = status.st_dev, .inode = status.st_ino});
  }

  void leave_out(std::string local, std::string reason) {
    source_.left_out.push_back({.path = std::move(local), .reason = std::move(reason)});
  }

  [[nodiscard]] bool is_excluded(const std::string& path, const std::string& name) const {
    const auto below = path.substr(path.find('/') + 1);
    return std::ranges::any_of(excluded_, [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
             ::fnmatch(pattern.c_str(), below.c_str(), FNM_PATHNAME) == 0;
    });
  }

  std::expected<void, ScanProblem> walk(DIR* opened, const std::string& local, const std::string& path,
                                        std::size_t depth) {
    const std::unique_ptr<DIR, DirCloser> dir(opened);
    const int folder = ::dirfd(opened);
    for (;;) {
      errno = 0;
      const dirent* const found = ::readdir(opened);  // NOLINT(concurrency-mt-unsafe): a stream of its own
      if (found == nullptr && errno != 0) return std::unexpected(ScanProblem{local, words_of(errno)});
      if (found == nullptr) return {};
      const std::string name = &found->d_name[0];
      if (name == "." || name == "..") continue;
      auto below = path + '/' + name;
      auto where = local + (local.ends_with('/') ? "" : "/") + name;
      if (is_excluded(below, name)) continue;
      if (source_.entries.size() > kMaxEntries) return {};  // finish() says so
      struct stat status{};
      if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        leave_out(std::move(where), words_of(errno));
      } else if (!is_path(below)) {
        leave_out(std::move(where), name.ends_with(kPartSuffix) ? "it is a part of a file that was not whole yet"
                                                                : "its path is too long");
      } else if (S_ISREG(status.st_mode)) {
        add(std::move(below), std::move(where), EntryKind::file, status);
      } else if (S_ISDIR(status.st_mode) && depth < kMaxDepth) {
        const int fd = ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR* const inner = fd < 0 ? nullptr : ::fdopendir(fd);
        if (inner == nullptr) {
          const int error = errno;
          if (fd >= 0) ::close(fd);
          leave_out(std::move(where), words_of(error));
          continue;
        }
        add(below, where, EntryKind::folder, status);
        PAKE_TRYV(walk(inner, where, below, depth + 1));
      } else {
        leave_out(std::move(where), S_ISLNK(status.st_mode) ? "it is a link" : "it is neither a file nor a folder");
      }
    }
  }

  std::span<const std::string> excluded_;
  Source source_;
};

}  // namespace

std::expected<Source, ScanProblem> scan(std::span<const std::string> paths, std::span<const std::string> excluded) {
  Scanner scanner(excluded);
  for (const auto& path : paths) PAKE_TRYV(scanner.take(path));
  return scanner.finish();
}

SourceFile::SourceFile(Descriptor file, const Entry& entry, bool is_sparse) noexcept
    : file_(std::move(file)),
      size_(entry.size),
      modified_(entry.modified),
      nanoseconds_(entry.nanoseconds),
      is_sparse_(is_sparse) {}

FileResult<SourceFile> SourceFile::open(const Local& local, const Entry& entry) {
  // A path that was named may be a link; another file in its place is seen by its number.
  Descriptor file(::open(local.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return fail_with(errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_with(errno);
  if (status.st_dev != local.device || status.st_ino != local.inode || !S_ISREG(status.st_mode))
    return fail(FileError::Kind::changed);
  static_cast<void>(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
  SourceFile opened(std::move(file), entry, status.st_blocks * kBlock < status.st_size);
  PAKE_TRYV(opened.check_unchanged());
  return opened;
}

FileResult<void> SourceFile::check_unchanged() const {
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0) return fail_with(errno);
  if (static_cast<std::uint64_t>(status.st_size) != size_ || status.st_mtim.tv_sec != modified_ ||
      status.st_mtim.tv_nsec != static_cast<long>(nanoseconds_))
    return fail(FileError::Kind::changed);
  return {};
}

FileResult<std::uint64_t> SourceFile::hash_some(TreeHash& hash, std::uint64_t length) {
  Buffer chunk(kHashChunk);
  std::uint64_t count = 0;
  while (count < kHashAtOnce && offset_ < length) {
    PAKE_TRY(const auto piece,
             read_some(MutableBytes(chunk).first(std::min<std::uint64_t>(chunk.size(), length - offset_))));
    if (piece.hole != 0) {
      const auto begin = offset_ - piece.hole;
      const auto zeros = std::min(piece.hole, length - begin);
      hash.update_zeros(zeros);
      offset_ = begin + zeros;
      count += zeros;
      continue;
    }
    if (piece.size == 0) return fail(FileError::Kind::changed);
    hash.update(Bytes(chunk).first(piece.size));
    count += piece.size;
  }
  return count;
}

FileResult<SourceFile::Piece> SourceFile::read_some(MutableBytes into) {
  if (offset_ >= size_) return Piece{};
  const auto at = static_cast<off_t>(offset_);
  if (is_sparse_ && offset_ >= data_end_) {
    const auto data = ::lseek(file_.get(), at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) is_sparse_ = false;  // a file system that cannot tell
    if (is_sparse_) {
      const auto begins = data < 0 ? size_ : std::min(static_cast<std::uint64_t>(data), size_);
      if (begins > offset_) {
        const auto hole = std::min(begins - offset_, kZerosAtOnce);
        offset_ += hole;
        return Piece{.size = 0, .hole = hole};
      }
      const auto hole = ::lseek(file_.get(), at, SEEK_HOLE);
      data_end_ = hole < 0 ? size_ : static_cast<std::uint64_t>(hole);
    }
  }
  auto wanted = std::min<std::uint64_t>(into.size(), size_ - offset_);
  if (is_sparse_ && data_end_ > offset_) wanted = std::min(wanted, data_end_ - offset_);
  for (;;) {
    const auto got = ::pread(file_.get(), into.data(), wanted, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_with(errno);
    if (got == 0) return fail(FileError::Kind::changed);
    offset_ += static_cast<std::uint64_t>(got);
    return Piece{.size = static_cast<std::size_t>(got), .hole = 0};
  }
}

}  // namespace pake::files
