// Private to the room: sums of products on P-256, four products at once, by AVX-512 IFMA. As in lanes.h, this header
// and no inline function of any other is shared with the one translation unit that needs the instructions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pake::crypto::lanes {

/// Multiples of one point that is multiplied often (66,560 bytes); what is in it is P256Lanes's own.
struct P256Table;

/// scalar * point, of the sum that has the number `sum`.
struct P256Term {
  const std::uint8_t* scalar;  // 32 bytes, big-endian, below the order; null is 1
  const std::uint8_t* point;   // x || y, big-endian, on the curve
  const P256Table* table;      // the point's, where there is one: then `point` is not read, and the scalar is not null
  std::size_t sum;
};

struct P256Lanes {
  static constexpr std::size_t kMaxSums = 4;
  static constexpr std::size_t kMaxTerms = 16;  // of all sums together

  /// A table for x || y, a public point. About 1 ms. Never null; given back with `free_table`.
  P256Table* (*make_table)(const std::uint8_t* point);
  void (*free_table)(P256Table* table);
  /// results[i] = x || y of sum i; finite[i] is all ones, or zero if the sum is infinity (results[i] is zero then).
  /// Constant-time in everything but the numbers of terms and sums, and which pointers are null.
  void (*sums)(const P256Term* terms, std::size_t term_count, std::uint8_t (*results)[64], std::uint64_t* finite,
               std::size_t sum_count);
};

/// Null if the compiler cannot build it or this processor has not the instructions.
[[nodiscard]] const P256Lanes* p256_avx512_ifma() noexcept;

}  // namespace pake::crypto::lanes
