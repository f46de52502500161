// What is sent: files and folders of this machine, looked at once, and read later.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/files/file.h"
#include "pake/files/messages.h"
#include "pake/files/tree_hash.h"

namespace pake::files {

/// Where an entry's bytes are.
struct Local {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
};

/// What was not taken, and why.
struct LeftOut {
  std::string path;
  std::string reason;  // a lower-case sentence without a full stop
};

struct Source {
  std::vector<Entry> entries;  // by path, ascending
  std::vector<Local> locals;   // of the same entries
  std::vector<LeftOut> left_out;
};

struct ScanProblem {
  std::string path;
  std::string reason;
};

/// Looks at `paths` and all that is below them. A link is followed if it is one of `paths`, and left out otherwise, as
/// are sockets, devices and the parts of files. What cannot be read is a problem if it is one of `paths`.
/// @param excluded  shell patterns: of a name ("*.o"), or of a path below the folder that is sent ("build/tmp")
[[nodiscard]] std::expected<Source, ScanProblem> scan(std::span<const std::string> paths,
                                                      std::span<const std::string> excluded);

/// A file that is being read. It must be the one that was looked at: another one, or other bytes, is `changed`.
class SourceFile {
 public:
  [[nodiscard]] static FileResult<SourceFile> open(const Local& local, const Entry& entry);

  /// Hashes the next bytes, not beyond `length` and no longer than some milliseconds; how many, 0 there.
  [[nodiscard]] FileResult<std::uint64_t> hash_some(TreeHash& hash, std::uint64_t length);

  struct Piece {
    std::size_t size = 0;    // bytes that were read
    std::uint64_t hole = 0;  // or zeros that take no room, at most kZerosAtOnce; neither: the end
  };
  /// The next piece, from where the last one, or hashing, ended.
  [[nodiscard]] FileResult<Piece> read_some(MutableBytes into);
  void seek(std::uint64_t offset) noexcept { offset_ = data_end_ = offset; }

  /// That it is still the same, after its last byte.
  [[nodiscard]] FileResult<void> check_unchanged() const;

 private:
  SourceFile(Descriptor file, const Entry& entry, bool is_sparse) noexcept;

  Descriptor file_;
  std::uint64_t size_;
  std::int64_t modified_;
  std::uint32_t nanoseconds_;
  bool is_sparse_;
  std::uint64_t offset_ = 0;
  std::uint64_t data_end_ = 0;  // up to there it is no hole
};

}  // namespace pake::files
