#include "private_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace pake::client {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".new-";

int write_all(int fd, Bytes content) {
  while (!content.empty()) {
    const auto count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    content = content.subspan(static_cast<std::size_t>(count));
  }
  return ::fsync(fd) == 0 ? 0 : errno;
}

// What a process that was killed has left: nobody holds it, and it is not new.
void remove_leftovers(const fs::path& directory) {
  constexpr std::chrono::minutes kOld{10};
  std::error_code ignored;
  for (fs::directory_iterator at(directory, ignored), end; !ignored && at != end; at.increment(ignored)) {
    const auto& path = at->path();
    std::error_code error;
    if (!path.filename().string().starts_with(kPrefix)) continue;
    const auto written = fs::last_write_time(path, error);
    if (error || fs::file_time_type::clock::now() - written < kOld) continue;
    const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (opened.get() >= 0 && ::flock(opened.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  }
}

}  // namespace

NewFile::NewFile(const fs::path& directory) : temporary_((directory / kPrefix).string() + "XXXXXX") {}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

NewFile::~NewFile() {
  if (is_there_) ::unlink(temporary_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

int NewFile::reserve(std::size_t size) {
  fd_ = ::mkostemp(temporary_.data(), O_CLOEXEC);  // mode 0600
  if (fd_ < 0) return errno;
  is_there_ = true;
  ::flock(fd_, LOCK_EX | LOCK_NB);  // for remove_leftovers
  remove_leftovers(fs::path(temporary_).parent_path());
  return ::posix_fallocate(fd_, 0, static_cast<off_t>(size));
}

int NewFile::write(Bytes content) {
  if (fd_ < 0)
    if (const int error = reserve(content.size()); error != 0) return error;
  if (::ftruncate(fd_, static_cast<off_t>(content.size())) != 0) return errno;
  return write_all(fd_, content);
}

int NewFile::replace(const fs::path& path) {
  if (::rename(temporary_.c_str(), path.c_str()) != 0) return errno;
  is_there_ = false;
  return 0;
}

int NewFile::put_at(const fs::path& path) { return ::link(temporary_.c_str(), path.c_str()) == 0 ? 0 : errno; }

void sync_directory(const fs::path& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0) static_cast<void>(::fsync(opened.get()));
}

int make_directory(const fs::path& directory) {
  if (directory.empty() || ::access(directory.c_str(), F_OK) == 0) return 0;
  if (const int error = make_directory(directory.parent_path()); error != 0) return error;
  return ::mkdir(directory.c_str(), S_IRWXU) == 0 || errno == EEXIST ? 0 : errno;
}

}  // namespace pake::client
