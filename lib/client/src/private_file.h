// Files for their owner alone, which are there as a whole or not at all.
#pragma once

#include <filesystem>
#include <string>

#include "pake/base/bytes.h"

namespace pake::client {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// A file on disk beside the place of which it will be; gone with this unless it was put there. What a process that was
/// killed has left of its own goes with the next one.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& directory);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  // Each returns the errno of what failed, or 0.

  /// Takes what a file of this size needs, before it is known what it will hold.
  [[nodiscard]] int reserve(std::size_t size);
  [[nodiscard]] int write(Bytes content);
  [[nodiscard]] int replace(const std::filesystem::path& path);
  /// EEXIST if something has that name.
  [[nodiscard]] int put_at(const std::filesystem::path& path);

 private:
  std::string temporary_;
  int fd_ = -1;
  bool is_there_ = false;
};

/// What has been renamed in it is on disk then; a failure is not told.
void sync_directory(const std::filesystem::path& directory);

/// The directory and those above it, for their owner alone. The errno of what failed, or 0.
[[nodiscard]] int make_directory(const std::filesystem::path& directory);

}  // namespace pake::client
