// The keys that this user's machine shares with others: a directory with a file for each, mode 0600.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/client/known_hosts.h"

namespace pake::client {

inline constexpr std::size_t kPairedKeySize = 32;
inline constexpr std::size_t kMaxPairNameSize = 64;

/// 1 to 64 letters, digits, hyphens, underscores and dots; the first is a letter or a digit.
[[nodiscard]] bool is_pair_name(std::string_view name) noexcept;

enum class Existing : std::uint8_t { stays, is_replaced };

/// A place on disk for a key, which has no name yet; gone with this unless it gets one.
class PreparedKey {
 public:
  class File;
  explicit PreparedKey(std::unique_ptr<File> file) noexcept;
  PreparedKey(PreparedKey&&) noexcept;
  PreparedKey& operator=(PreparedKey&&) noexcept;
  ~PreparedKey();

  /// On disk when this returns, still without a name.
  [[nodiscard]] Remembered<void> write(std::span<const std::uint8_t, kPairedKeySize> key);
  /// On disk under its name when this returns. Unwritable with EEXIST if a key has that name, and stays.
  [[nodiscard]] Remembered<void> keep();

 private:
  std::unique_ptr<File> file_;
};

/// A file holds the key in base64, alone on its line.
class PairedKeys {
 public:
  /// @param directory  made, with mode 0700, when a key is to be kept
  explicit PairedKeys(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] bool has(std::string_view name) const;
  /// Fails if a key could not be kept, for want of a directory, of room or of a descriptor.
  /// @param name  a pair name
  [[nodiscard]] Remembered<PreparedKey> prepare(std::string_view name, Existing existing) const;
  [[nodiscard]] std::filesystem::path path_of(std::string_view name) const { return directory_ / name; }

 private:
  std::filesystem::path directory_;
};

}  // namespace pake::client
