// stdin and stdout as bytes: they may be files, which nothing can wait for, so each has a thread of its own.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>

#include "pake/base/bytes.h"
#include "pake/net/awaitable.h"
#include "pake/net/loops.h"

namespace pake::cli {

/// One descriptor, read or written on a thread, awaited on a loop: one call at a time. Errors are errnos; ECANCELED
/// when the loops are cancelled. Its end stops what blocks; the descriptor stays open.
class BlockingFile {
 public:
  BlockingFile(net::Loop& loop, int fd);
  BlockingFile(const BlockingFile&) = delete;
  BlockingFile& operator=(const BlockingFile&) = delete;
  ~BlockingFile();

  /// What there is, at least one byte; 0 at the end.
  [[nodiscard]] net::Awaitable<std::expected<std::size_t, int>> read_some(MutableBytes into);
  /// Runs what writes, 0 or an errno, and returns what it returns.
  using Around = std::function<int(const std::function<int()>& write)>;
  /// All of `bytes`; on the thread that writes, `around` runs the writing, if it is given.
  [[nodiscard]] net::Awaitable<std::expected<void, int>> write_all(Bytes bytes, Around around = {});
  /// Ends the call that waits, and every later one, with ECANCELED.
  void interrupt() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pake::cli
