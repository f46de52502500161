// Private to the room: ristretto255 for four or eight independent points at once, by the vector units that have it, or
// one after the other by none. A translation unit each, compiled with the instructions it needs; which one runs is
// chosen by CPUID. What they share is
// this header, and no inline function of any other: the linker keeps one copy of those, and it might be the one that an
// older processor cannot run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pake::crypto::lanes {

/// The most that a call takes.
inline constexpr std::size_t kMostLanes = 8;

/// Extended coordinates X, Y, Z, T of a point of edwards25519 that stands for an element, five limbs each, of radix
/// 2^51 and below 2^52.
struct Point {
  std::uint64_t coordinates[4][5];
};

/// One implementation. Every call takes `count` points, 1 to kMostLanes, and works upon as many at a time as there are
/// lanes: unused lanes cost the same. Constant-time in everything but the count.
struct Backend {
  const char* name;
  std::size_t lanes;
  std::size_t fewest;  // points, of which fewer are better left to the portable code

  /// RFC 9496, Section 4.3.1. valid[i] is all ones, or zero for an encoding that is not one (then the point is none);
  /// the identity is valid.
  void (*decode)(const std::uint8_t* const* encodings, std::size_t count, Point* points, std::uint64_t* valid);
  /// RFC 9496, Section 4.3.2: 32 bytes each.
  void (*encode)(const Point* const* points, std::size_t count, std::uint8_t (*encodings)[32]);
  /// products[i] = scalars[i] * points[i], and its encoding. Scalars are 32 bytes, little-endian, below 2^255.
  void (*multiply)(const std::uint8_t* const* scalars, const Point* const* points, std::size_t count, Point* products,
                   std::uint8_t (*encodings)[32]);
  /// The same of the generator, one at a time: the lanes share the scalar.
  void (*multiply_generator)(const std::uint8_t* scalar, Point* product, std::uint8_t* encoding);
  /// RFC 9496, Section 4.3.4, of 64 uniform bytes; all ones if that is the identity, else zero.
  std::uint64_t (*from_uniform)(const std::uint8_t* bytes, Point* point);
};

/// One lane of 64-bit words: everywhere.
[[nodiscard]] const Backend* portable() noexcept;
/// Null if the compiler cannot build them or this processor has not the instructions.
[[nodiscard]] const Backend* avx2() noexcept;
[[nodiscard]] const Backend* avx512_ifma() noexcept;
[[nodiscard]] const Backend* avx512_ifma_wide() noexcept;
/// The fastest that runs here.
[[nodiscard]] const Backend* best() noexcept;

}  // namespace pake::crypto::lanes
