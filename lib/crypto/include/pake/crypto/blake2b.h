// BLAKE2b (RFC 7693) with 32 bytes of output: the hash of what is not secret and long, files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pake/base/bytes.h"

namespace pake::crypto {

inline constexpr std::size_t kBlake2bSize = 32;
using Blake2bHash = std::array<std::uint8_t, kBlake2bSize>;

/// A running hash, unkeyed. Copying clones the state.
class Blake2b {
 public:
  Blake2b() noexcept;

  Blake2b& update(Bytes bytes) noexcept;
  /// The hash of everything so far; the state goes on.
  [[nodiscard]] Blake2bHash hash() const noexcept;

 private:
  static constexpr std::size_t kStateSize = 384;  // the library's state, checked where it is known
  alignas(64) std::array<std::byte, kStateSize> state_;
};

}  // namespace pake::crypto
