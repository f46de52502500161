// Where received files go: one folder, and nothing outside it, whatever the paths are and whoever changes the folder
// meanwhile. No link is followed below it, and nothing is replaced unasked.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/files/file.h"
#include "pake/files/messages.h"
#include "pake/files/tree_hash.h"

namespace pake::files {

/// How a path is walked: by the kernel (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS), if it can, or here,
/// component by component with O_NOFOLLOW.
enum class Walk : std::uint8_t { by_kernel, by_hand };

enum class Overwrite : std::uint8_t { no, yes };

/// What has a path's name.
struct Found {
  enum class Kind : std::uint8_t { nothing, file, folder, other };
  Kind kind = Kind::nothing;
  std::uint64_t size = 0;       // of a file
  std::uint64_t part_size = 0;  // of its part, which an earlier transfer left; 0 if there is none
};

/// A file that is not whole yet. It has a name of its own beside the one it will have, and is locked. Unless it is
/// stored or discarded, its end leaves what was written, if anything was: a later transfer can continue it.
class Part {
 public:
  Part(Part&&) noexcept = default;
  Part& operator=(Part&& other) noexcept;
  ~Part();

  /// Bytes that were there when it was opened and not taken away since.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Hashes the next bytes of those, at most 4 MiB; how many is what it returns, 0 at their end.
  [[nodiscard]] FileResult<std::uint64_t> hash_some(TreeHash& hash);
  /// Throws away what was there. Comes before the first write if nothing is to be continued.
  [[nodiscard]] FileResult<void> begin_anew();

  /// Appends.
  [[nodiscard]] FileResult<void> write(Bytes bytes);
  /// Appends zeros that take no room.
  [[nodiscard]] FileResult<void> skip(std::uint64_t length);
  /// Takes it from the disk.
  void discard() noexcept;

 private:
  friend class Target;
  Part(std::shared_ptr<const Descriptor> folder, std::string name, std::string part_name, Descriptor file,
       std::uint64_t size) noexcept;

  std::shared_ptr<const Descriptor> folder_;
  std::string name_, part_name_;
  Descriptor file_;  // none: it has been stored, discarded or moved
  std::uint64_t size_;
  std::uint64_t hashed_ = 0;
};

/// Not thread-safe: one call at a time, on any thread. Every path is `is_path`.
class Target {
 public:
  /// The folder is made if it is not there, and fails if nothing can be made in it; links in `directory` itself are
  /// followed.
  [[nodiscard]] static FileResult<Target> open(const std::string& directory, Walk walk = Walk::by_kernel);

  [[nodiscard]] FileResult<Found> find(std::string_view path);
  /// A regular file, to be read.
  [[nodiscard]] FileResult<Descriptor> open_existing(std::string_view path);
  /// Makes it and the folders above it, as far as they are missing.
  [[nodiscard]] FileResult<void> make_folder(std::string_view path);
  /// When it was modified.
  void set_time(const Entry& folder);
  /// Opens the part of `path` that an earlier transfer left, or makes one; folders above it too.
  [[nodiscard]] FileResult<Part> open_part(std::string_view path);
  /// Gives a whole part its name, on the disk: fsync, then rename. Its bits and its time are the entry's, as far as the
  /// umask allows.
  /// @return exists, if something has the name and `overwrite` does not say to replace it (a regular file; never one
  ///         that was stored in this run), and then the part is discarded
  [[nodiscard]] FileResult<void> store(Part part, const Entry& entry, Overwrite overwrite);
  /// The same in two steps, for many small files: what is whole is set down with its bits and its time, and all that
  /// was set down gets its names together, once it is on the disk. Until then it keeps the part's name and stays open.
  [[nodiscard]] FileResult<void> set_down(Part part, const Entry& entry);
  /// @return what `store` does, of each that was set down, in that order
  [[nodiscard]] std::vector<FileResult<void>> store_all(Overwrite overwrite);
  /// That the names of all that was stored are on the disk as well.
  [[nodiscard]] FileResult<void> sync_names();

 private:
  explicit Target(Descriptor root, Walk walk, mode_t umask) noexcept;
  struct Place {
    std::shared_ptr<const Descriptor> folder;
    std::string name;
  };
  enum class Missing : std::uint8_t { fail, make };
  [[nodiscard]] FileResult<std::shared_ptr<const Descriptor>> open_folder(std::string_view path, Missing missing);
  [[nodiscard]] FileResult<Descriptor> walk(std::string_view path, Missing missing) const;
  [[nodiscard]] FileResult<Place> place_of(std::string_view path, Missing missing);
  [[nodiscard]] FileResult<void> rename(const Part& part, Overwrite overwrite) const;
  [[nodiscard]] FileResult<void> set_bits_and_time(const Part& part, const Entry& entry) const;
  [[nodiscard]] FileResult<void> give_name(Part part, Overwrite overwrite);
  [[nodiscard]] bool sync_at_once() const;

  std::shared_ptr<const Descriptor> root_;
  Walk walk_;
  mode_t umask_;
  std::string last_path_;  // the folder that was opened last
  std::shared_ptr<const Descriptor> last_folder_;
  std::set<std::shared_ptr<const Descriptor>> renamed_in_;  // names were given there, and may not be on the disk yet
  std::vector<Part> set_down_;
  std::set<std::pair<dev_t, ino_t>> stored_;
};

/// The part's name beside `name`.
[[nodiscard]] std::string part_name_of(std::string_view name);

}  // namespace pake::files
