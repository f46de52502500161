// Which bits of a message a test flips, one a run.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace pake::testing {

/// The bits of a message of `size` bytes to flip, as byte * 8 + bit: one of each byte, another of the eight from byte
/// to byte, and of every `stride`th byte only if a run costs much; with PAKE_FULL=1 in the environment (scripts/soak)
/// every bit of every byte.
inline std::vector<std::size_t> bits_to_flip(std::size_t size, std::size_t stride = 1) {
  const char* full = std::getenv("PAKE_FULL");
  const bool all = full != nullptr && std::string_view(full) == "1";
  std::vector<std::size_t> bits;
  for (std::size_t byte = 0; byte < size; ++byte)
    for (std::size_t bit = 0; bit < 8; ++bit)
      if (all || (byte % stride == 0 && bit == byte / stride % 8)) bits.push_back(8 * byte + bit);
  return bits;
}

}  // namespace pake::testing
