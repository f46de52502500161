// The key file on the disk: who may read it, and how it is written.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "files.h"
#include "pake/internal/try.h"
#include "pake/store/key_file.h"

namespace pake::store {
namespace {

constexpr std::size_t kMaxFileSize = 1 << 20;

std::string octal(mode_t mode) {
  std::string text = "0000";
  for (auto at = text.rbegin(); at != text.rend(); ++at, mode >>= 3U) *at = static_cast<char>('0' + (mode & 7U));
  return text;
}

StoreStatus check_permissions(const struct stat& status, const std::string& file, KeyFilePlace place) {
  if (!S_ISREG(status.st_mode))
    return fail(StoreErrc::key_file_foreign, file + " is not a regular file", "name a file");
  const auto mode = status.st_mode & 07777U;
  // systemd hands a credential to its service by an access list, whose mask stands in the group's bits.
  const mode_t allowed = place == KeyFilePlace::own ? 0700 : 0740;
  if ((mode & 077U & ~allowed) != 0)
    return fail(
        StoreErrc::key_file_exposed, file + " has mode " + octal(mode) + ": others can read or change it",
        "chmod 600 " + file.substr(file.find_last_of(' ') + 1) +
            "; if somebody may have read it, stage and activate a new epoch and let users choose new passwords");
  if (status.st_uid != 0 && status.st_uid != ::geteuid())
    return fail(StoreErrc::key_file_exposed,
                file + " belongs to user " + std::to_string(status.st_uid) + ", not to root or to us",
                "chown it to the user that pake runs as");
  return {};
}

StoreResult<Descriptor> open_key_file(const std::filesystem::path& path, KeyFilePlace place) {
  const auto file = "the key file " + path.string();
  Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened && (errno == ENOENT || errno == ENOTDIR))
    return fail(StoreErrc::key_file_missing, "there is no key file " + path.string(),
                "put it back from a backup; nothing in the store opens without it");
  if (!opened) return fail_by_errno(errno, "open " + file);
  struct stat status{};
  if (::fstat(opened.get(), &status) != 0) return fail_by_errno(errno, "look at " + file);
  PAKE_TRYV(check_permissions(status, file, place));
  return opened;
}

StoreResult<SecretBuffer> read_all(const Descriptor& file, const std::filesystem::path& path) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_by_errno(errno, "look at " + path.string());
  // A file that is too large is none of ours; its beginning tells what it is.
  auto size = std::min(static_cast<std::size_t>(status.st_size), kMaxFileSize);
  std::size_t got = 0;
  int error = 0;
  auto content = SecretBuffer::make(size, [&](MutableBytes out) {
    while (got < size && error == 0) {
      const auto read = ::pread(file.get(), out.data() + got, size - got, static_cast<off_t>(got));
      if (read == 0) break;
      if (read > 0)
        got += static_cast<std::size_t>(read);
      else if (errno != EINTR)
        error = errno;
    }
  });
  if (error != 0) return fail_by_errno(error, "read " + path.string());
  if (got < size) return SecretBuffer::copy_of(content.reveal().first(got));
  return content;
}

}  // namespace

StoreResult<KeyFile> read_key_file(const std::filesystem::path& path, KeyFilePlace place) {
  PAKE_TRY(const auto file, open_key_file(path, place));
  PAKE_TRY(const auto content, read_all(file, path));
  return KeyFile::decode(content.reveal(), path.string());
}

StoreStatus create_key_file(const std::filesystem::path& path, const KeyFile& keys) {
  auto written = write_file(path, keys.encode().reveal(), Replace::no);
  if (!written && written.error().code == StoreErrc::exists)
    return fail(StoreErrc::key_file_exists, "there is a file " + path.string() + " already",
                "move it away first; if it is a key file, its store does not open without it");
  return written;
}

StoreResult<KeyFile> change_key_file(const std::filesystem::path& path,
                                     const std::function<StoreStatus(KeyFile&)>& change) {
  while (true) {
    PAKE_TRY(const auto file, open_key_file(path, KeyFilePlace::own));
    if (::flock(file.get(), LOCK_EX) != 0) return fail_by_errno(errno, "lock " + path.string());
    // Whoever held the lock before may have replaced the file: then this one is no longer its name's.
    struct stat locked{};
    struct stat named{};
    if (::fstat(file.get(), &locked) != 0 || ::stat(path.c_str(), &named) != 0)
      return fail_by_errno(errno, "look at " + path.string());
    if (locked.st_ino != named.st_ino || locked.st_dev != named.st_dev) continue;
    PAKE_TRY(const auto content, read_all(file, path));
    PAKE_TRY(auto keys, KeyFile::decode(content.reveal(), path.string()));
    PAKE_TRYV(change(keys));
    PAKE_TRYV(write_file(path, keys.encode().reveal(), Replace::yes));
    return keys;
  }
}

StoreResult<KeyFile> stage_epoch(const std::filesystem::path& path,
                                 const std::function<StoreResult<std::vector<EpochKeys>>(std::uint32_t epoch)>& make) {
  return change_key_file(path, [&](KeyFile& keys) -> StoreStatus {
    PAKE_TRY(auto made, make(keys.newest_epoch() + 1));
    for (auto& entry : made) PAKE_TRYV(keys.add(std::move(entry)));
    return {};
  });
}

StoreStatus back_up_key_file(const std::filesystem::path& path, const std::filesystem::path& to) {
  PAKE_TRY(const auto keys, read_key_file(path));
  PAKE_TRYV(create_key_file(to, keys));
  PAKE_TRY(const auto copy, read_key_file(to));
  if (!ct_equal(copy.encode().reveal(), keys.encode().reveal()))
    return fail(StoreErrc::io, "the copy " + to.string() + " reads otherwise than it was written",
                "see the system's log for a fault of the device");
  return {};
}

}  // namespace pake::store
