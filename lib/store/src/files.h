// Files that must be whole or absent, and closed to others.
#pragma once

#include <filesystem>
#include <string>

#include "pake/base/bytes.h"
#include "pake/store/error.h"

namespace pake::store {

/// A descriptor that is closed at its end.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) = delete;
  ~Descriptor();
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

/// `cannot WHAT: REASON`, by errno, with the code that fits it.
[[nodiscard]] std::unexpected<StoreError> fail_by_errno(int error, const std::string& what);

/// Makes the entries of the directory of `path` durable.
[[nodiscard]] StoreStatus sync_directory_of(const std::filesystem::path& path);

/// `.` if the path names none.
[[nodiscard]] std::filesystem::path directory_of(const std::filesystem::path& path);

/// With what the name of each temporary file of write_file begins.
[[nodiscard]] std::filesystem::path temporary_prefix(const std::filesystem::path& path);

enum class Replace : bool { no, yes };

/// Writes `content` to `path`, mode 0600: a temporary file beside it, fsync, then rename (or, for Replace::no, link,
/// which fails with `exists` if the path is there), then fsync of the directory.
[[nodiscard]] StoreStatus write_file(const std::filesystem::path& path, Bytes content, Replace replace);

}  // namespace pake::store
