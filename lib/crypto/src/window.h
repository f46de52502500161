// Private to the room: sums of products by signed windows, in constant time, on any group whose addition is complete.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "field.h"

namespace pake::crypto {

/// scalar = sum d_i * 32^i with -15 <= d_i <= 16.
template <std::size_t kScalarSize>
class SignedDigits {
 public:
  static constexpr std::size_t kWindow = 5;
  static constexpr int kHalf = 1 << (kWindow - 1);
  static constexpr std::size_t kCount = 8 * kScalarSize / kWindow + 1;  // one bit or more is left for the last carry

  SignedDigits(std::span<const std::uint8_t, kScalarSize> scalar, std::endian order) noexcept {
    int carry = 0;
    for (std::size_t i = 0; i < kCount; ++i) {
      unsigned window = 0;
      for (std::size_t bit = kWindow * i; bit < kWindow * (i + 1) && bit < 8 * kScalarSize; ++bit) {
        const unsigned byte = scalar[order == std::endian::big ? kScalarSize - 1 - bit / 8 : bit / 8];
        window |= ((byte >> (bit % 8)) & 1U) << (bit - kWindow * i);
      }
      const int digit = static_cast<int>(window) + carry;
      carry = static_cast<int>(static_cast<unsigned>(kHalf - digit) >> 31U);  // digit > 16
      digits_[i] = static_cast<std::int8_t>(digit - carry * 2 * kHalf);
    }
  }
  [[nodiscard]] int operator[](std::size_t i) const noexcept { return digits_[i]; }

 private:
  std::array<std::int8_t, kCount> digits_{};
};

/// One product of a sum: the digits of the scalar, and P, 2P, ..., 16P, of which every entry is read for every digit. P
/// is any point. What is asked of Point: add, twice (complete: no sum is a special case), select, negate_if,
/// Point::identity().
template <class Point, std::size_t kScalarSize>
class WindowedTerm {
 public:
  using Digits = SignedDigits<kScalarSize>;

  WindowedTerm(std::span<const std::uint8_t, kScalarSize> scalar, std::endian order, const Point& P)
      : digits_(scalar, order) {
    multiples_[0] = P;
    for (std::size_t i = 1; i < multiples_.size(); ++i)
      multiples_[i] = i % 2 == 1 ? twice(multiples_[i / 2]) : add(multiples_[i - 1], P);
  }

  /// d_i * P.
  [[nodiscard]] Point multiple(std::size_t i) const {
    const auto sign = static_cast<unsigned>(digits_[i] >> 31);  // all ones below zero
    const auto magnitude = (static_cast<unsigned>(digits_[i]) ^ sign) - sign;
    auto out = Point::identity();
    for (unsigned k = 0; k < multiples_.size(); ++k)
      out = select(detail::mask_if_zero(magnitude ^ (k + 1)), multiples_[k], out);
    return negate_if(detail::hide(0 - static_cast<Mask>(sign & 1U)), out);
  }

 private:
  Digits digits_;
  std::array<Point, Digits::kHalf> multiples_;
};

/// The sum of the terms.
template <class Point, std::size_t kScalarSize>
[[nodiscard]] Point sum_of(std::span<const WindowedTerm<Point, kScalarSize>> terms) {
  using Digits = SignedDigits<kScalarSize>;
  auto sum = Point::identity();
  for (std::size_t i = Digits::kCount; i-- > 0;) {
    if (i + 1 < Digits::kCount)
      for (std::size_t bit = 0; bit < Digits::kWindow; ++bit) sum = twice(sum);
    for (const auto& term : terms) sum = add(sum, term.multiple(i));
  }
  return sum;
}

}  // namespace pake::crypto
