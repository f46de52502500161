// What a seed decides.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>

namespace pake::channel::simulator {

/// A stream of choices that the seed determines, with every compiler the same.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  std::uint64_t any() { return random_(); }
  /// 0 to bound - 1; the bound is small enough for the bias not to matter.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_()) % bound; }
  std::size_t between(std::size_t least, std::size_t most) { return least + below(most - least + 1); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  /// 0 to `most`, every order of magnitude as likely as the next.
  std::size_t skewed(std::size_t most) {
    const auto bits = below(static_cast<std::size_t>(std::bit_width(most)) + 1);
    const auto value = below(std::size_t{1} << bits);
    return value > most ? most : value;
  }
  template <class T, std::size_t N>
  T of(const std::array<T, N>& choices) {
    return choices[below(N)];
  }
  /// Choices of their own for a part, so that what one part asks moves no other.
  Draw fork() { return Draw(any()); }

 private:
  std::mt19937_64 random_;
};

}  // namespace pake::channel::simulator
