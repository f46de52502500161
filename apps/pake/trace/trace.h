// What passes on the wire, written into a file as it passes: docs/traces.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options/setting.h"
#include "pake/base/bytes.h"
#include "pake/net/stream.h"
#include "process/problem.h"
#include "trace/frame.h"

namespace pake::cli::trace {

/// How much a trace may hold: what comes later is counted.
inline constexpr std::size_t kMostBytes = 64UL << 20U;

/// A file, readable by its owner alone, that every frame is told to, as an observer on the way sees it; no secret is
/// among them. A copy writes into the same file, and threads may share it. One without a file does nothing.
class Trace {
 public:
  class Connection;

  /// @param path  none: no trace is wanted
  /// @return what is wrong with the file
  [[nodiscard]] static Expected<Trace> open(const std::optional<std::string>& path,
                                            std::size_t most_bytes = kMostBytes);

  /// A connection of the channel, traced frame by frame. It may outlive the trace.
  [[nodiscard]] std::unique_ptr<net::Stream> follow(std::unique_ptr<net::Stream> stream) const;

  /// One of another protocol, whose caller knows where a message ends.
  [[nodiscard]] Connection begin(std::string protocol) const;

  [[nodiscard]] bool is_wanted() const noexcept { return file_ != nullptr; }

  /// What became of the file. From now on nothing is written.
  [[nodiscard]] Expected<void> finish() const;
  /// The same behind a run: its exit code, or what was wrong with it; if nothing was, what is wrong with the file.
  [[nodiscard]] Expected<int> finish(Expected<int> run) const;

 private:
  class File;
  explicit Trace(std::shared_ptr<File> file) noexcept : file_(std::move(file)) {}
  std::shared_ptr<File> file_;
};

class Trace::Connection {
 public:
  /// A frame has passed: told at once.
  void note(Passed passed, std::string_view name, Bytes bytes, std::vector<Field> fields);

 private:
  friend class Trace;
  Connection(std::shared_ptr<File> file, std::string protocol, std::uint64_t number) noexcept
      : file_(std::move(file)), protocol_(std::move(protocol)), number_(number) {}
  std::shared_ptr<File> file_;
  std::string protocol_;
  std::uint64_t number_;
  std::optional<Role> role_ = {};  // who speaks first has connected
};

/// --trace FILE.
[[nodiscard]] Setting setting(std::optional<std::string>& file);

}  // namespace pake::cli::trace
