#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace pake::store {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

/// Writes all, syncs and closes; errno of what failed, or 0.
int write_and_sync(const Descriptor& file, Bytes content) {
  while (!content.empty()) {
    const auto written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

}  // namespace

std::filesystem::path directory_of(const std::filesystem::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? "." : parent;
}

std::filesystem::path temporary_prefix(const std::filesystem::path& path) { return path.string() + ".tmp."; }

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::unexpected<StoreError> fail_by_errno(int error, const std::string& what) {
  const auto message = "cannot " + what + ": " + reason(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return fail(StoreErrc::missing, message, "check the path");
    case EACCES:
    case EPERM:
      return fail(StoreErrc::permission, message, "run as the user to whom the file belongs, or chown it");
    case ENOSPC:
    case EDQUOT:
      return fail(StoreErrc::full, message, "make room on the device; nothing was lost");
    case EROFS:
      return fail(StoreErrc::read_only, message, "the file system is mounted read-only: remount it");
    case EEXIST:
      return fail(StoreErrc::exists, message, "choose another path, or move that file away");
    default:
      return fail(StoreErrc::io, message, "see the system's log for a fault of the device");
  }
}

StoreStatus sync_directory_of(const std::filesystem::path& path) {
  const auto directory = directory_of(path);
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) return fail_by_errno(errno, "sync the directory " + directory.string());
  return {};
}

StoreStatus write_file(const std::filesystem::path& path, Bytes content, Replace replace) {
  static std::atomic<unsigned> counter = 0;
  auto temporary = temporary_prefix(path);
  temporary += std::to_string(::getpid()) + "." + std::to_string(counter.fetch_add(1));
  const auto remove_temporary = [&] { ::unlink(temporary.c_str()); };
  ::unlink(temporary.c_str());  // of an earlier process of this number that was killed
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return fail_by_errno(errno, "create " + temporary.string());
    // The mode that was asked for, whatever the umask.
    if (::fchmod(file.get(), 0600) != 0) {
      const auto error = errno;
      remove_temporary();
      return fail_by_errno(error, "close " + temporary.string() + " to others");
    }
    if (const auto error = write_and_sync(file, content); error != 0) {
      remove_temporary();
      return fail_by_errno(error, "write " + temporary.string());
    }
  }
  if (replace == Replace::yes) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      const auto error = errno;
      remove_temporary();
      return fail_by_errno(error, "replace " + path.string());
    }
  } else {
    const auto error = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
    remove_temporary();
    if (error != 0) return fail_by_errno(error, "create " + path.string());
  }
  return sync_directory_of(path);
}

}  // namespace pake::store
