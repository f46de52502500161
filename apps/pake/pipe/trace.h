// What passes on the wire, as JSON lines: {"us":1042,"passed":"sent","frame":"client_hello","size":131,"bytes":"01..."}
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "pake/net/stream.h"
#include "process/problem.h"

namespace pake::cli::pipe {

/// A file that every frame is told to: microseconds since the trace began, direction, type, size and bytes in hex, as
/// an observer on the way sees them; no secret is among them.
class Trace {
 public:
  /// @return what is wrong with the file
  [[nodiscard]] static Expected<Trace> open(const std::string& path);

  /// `stream`, traced. The trace outlives it.
  [[nodiscard]] std::unique_ptr<net::Stream> follow(std::unique_ptr<net::Stream> stream);

  /// `run`, or what became of the file if that is 0. The file's fate is said either way.
  [[nodiscard]] Expected<int> finish(Expected<int> run) const;

 private:
  class File;
  explicit Trace(std::shared_ptr<File> file) noexcept;
  std::shared_ptr<File> file_;
};

/// The same; `run` if nothing is traced.
[[nodiscard]] Expected<int> finish(const std::optional<Trace>& trace, Expected<int> run);

}  // namespace pake::cli::pipe
