// The hash of a file: docs/files.md, section 2.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pake/base/bytes.h"
#include "pake/crypto/hash.h"
#include "pake/files/messages.h"

namespace pake::files {

/// How many zeros are fed at once, by who must be able to stop: 20 ms of work or less.
inline constexpr std::uint64_t kZerosAtOnce = 1ULL << 34U;

/// A running hash of bytes that are not secret, a tree of one level: leaves of 16 KiB, which are hashed side by side.
/// Copying clones the state.
///
///   hash = SHA-256(SHA-256(leaf 0) || SHA-256(leaf 1) || ... || length as u64)
class TreeHash {
 public:
  static constexpr std::size_t kLeafSize = 16'384;

  TreeHash& update(Bytes bytes) noexcept;
  /// So many zeros; whole leaves of them cost next to nothing.
  TreeHash& update_zeros(std::uint64_t length) noexcept;
  /// The hash of everything so far; the state goes on.
  [[nodiscard]] FileHash hash() const noexcept;

 private:
  void update_leaf(Bytes bytes) noexcept;

  crypto::Hash leaves_{crypto::HashId::sha256};  // of the hashes of those that are whole
  crypto::Hash leaf_{crypto::HashId::sha256};    // of the one that is not
  std::uint64_t length_ = 0;
};

}  // namespace pake::files
