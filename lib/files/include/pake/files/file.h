// What both doors to the file system share: descriptors with one owner, and why something did not work.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace pake::files {

struct FileError {
  enum class Kind : std::uint8_t {
    exists,      // something else has that name
    in_the_way,  // a link, or what is no folder, stands where a folder belongs
    not_usable,  // not a regular file of one name that is this user's
    busy,        // another transfer writes it
    no_room,     // the disk, or the quota, is full
    changed,     // it is another file by now, or was written to
    system,      // `number` says what
  };
  Kind kind = Kind::system;
  int number = 0;  // an errno, or 0

  /// A lower-case sentence without a full stop.
  [[nodiscard]] std::string explain() const;
  friend bool operator==(const FileError& error, Kind expected) { return error.kind == expected; }
};

template <class T>
using FileResult = std::expected<T, FileError>;

[[nodiscard]] inline std::unexpected<FileError> fail(FileError::Kind kind, int number = 0) {
  return std::unexpected(FileError{.kind = kind, .number = number});
}
/// What an errno means here.
[[nodiscard]] std::unexpected<FileError> fail_with(int number);

/// A file descriptor with one owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace pake::files
