// Randomness that a test writes down beforehand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/rng.h"

namespace pake::testing {

/// Hands out the given bytes in order; asking for more than there is fails the test and aborts.
class FixedRng final : public Rng {
 public:
  explicit FixedRng(Buffer bytes) : bytes_(std::move(bytes)) {}
  void fill(MutableBytes out) override;
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - used_; }

 private:
  Buffer bytes_;
  std::size_t used_ = 0;
};

/// A source that is stuck: the same byte for ever.
class StuckRng final : public Rng {
 public:
  explicit StuckRng(std::uint8_t byte) : byte_(byte) {}
  void fill(MutableBytes out) override { std::ranges::fill(out, byte_); }

 private:
  std::uint8_t byte_;
};

/// A reproducible stream of bytes from a seed (which a failing test prints).
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  void fill(MutableBytes out) override;

 private:
  std::uint64_t state_;
};

}  // namespace pake::testing
