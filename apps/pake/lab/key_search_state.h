// How far the search for Ks has come, in a file, so that it can be interrupted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/guess.h"
#include "process/problem.h"

namespace pake::cli::lab {

/// {"recording":"<SHA-256 of message 5>","modes":"gcm","next":655360}: all keys before `next` are tried. Each write
/// replaces the file as a whole.
class KeySearchState {
 public:
  /// @param path  none: nothing is kept. A file that is not there is a search that has not begun
  /// @return what is wrong with the file: another recording's, other modes', or none at all
  [[nodiscard]] static Expected<KeySearchState> open(const std::optional<std::string>& path, Bytes E_NC,
                                                     const std::vector<CipherMode>& modes);

  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }
  [[nodiscard]] Expected<void> keep(std::uint64_t next);

 private:
  std::optional<std::string> path_;
  std::string recording_;
  std::string modes_;
  std::uint64_t next_ = 0;
};

}  // namespace pake::cli::lab
