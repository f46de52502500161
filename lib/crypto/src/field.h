// Private to the room: arithmetic modulo a fixed odd number of known width, in constant time. One template serves every
// modulus of the documents; nothing here branches or indexes on a value, exponents excepted, which are public.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/ct.h"

namespace pake::crypto {

/// A secret truth value: all ones or zero.
using Mask = std::uint64_t;

/// A non-negative integer, least significant limb first.
template <std::size_t N>
using Limbs = std::array<std::uint64_t, N>;

namespace detail {

__extension__ using Wide = unsigned __int128;

/// Hides a value from the optimiser, so that it cannot learn that a mask has two values and make a branch of it.
constexpr std::uint64_t hide(std::uint64_t value) noexcept {
  if !consteval {
    asm("" : "+r"(value));
  }
  return value;
}

constexpr Mask mask_if_zero(std::uint64_t value) noexcept { return hide(((value | (0 - value)) >> 63U) - 1); }

/// a + b + carry; `carry` (0 or 1) becomes the one that comes out.
constexpr std::uint64_t add(std::uint64_t a, std::uint64_t b, std::uint64_t& carry) noexcept {
  const auto sum = static_cast<Wide>(a) + b + carry;
  carry = static_cast<std::uint64_t>(sum >> 64U);
  return static_cast<std::uint64_t>(sum);
}

/// a - b - borrow; `borrow` (0 or 1) becomes the one that comes out.
constexpr std::uint64_t subtract(std::uint64_t a, std::uint64_t b, std::uint64_t& borrow) noexcept {
  const auto difference = static_cast<Wide>(a) - b - borrow;
  borrow = static_cast<std::uint64_t>(difference >> 64U) & 1U;
  return static_cast<std::uint64_t>(difference);
}

/// a * b + c + carry, which fits two limbs; `carry` becomes the upper one.
constexpr std::uint64_t multiply_add(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t& carry) noexcept {
  const auto sum = static_cast<Wide>(a) * b + c + carry;
  carry = static_cast<std::uint64_t>(sum >> 64U);
  return static_cast<std::uint64_t>(sum);
}

}  // namespace detail

/// The number written in big-endian hex, as the documents print it; N limbs must hold it.
template <std::size_t N>
consteval Limbs<N> limbs_from_hex(std::string_view digits) {
  Limbs<N> limbs{};
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto digit = digits[digits.size() - 1 - i];
    const auto value = static_cast<std::uint64_t>(digit >= 'a' ? digit - 'a' + 10 : digit - '0');
    limbs.at(i / 16) |= value << (4 * (i % 16));
  }
  return limbs;
}

/// limbs >> shift, for a shift below 64.
template <std::size_t N>
constexpr Limbs<N> shift_right(const Limbs<N>& limbs, unsigned shift) noexcept {
  Limbs<N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    out[i] = limbs[i] >> shift;
    if (shift != 0 && i + 1 < N) out[i] |= limbs[i + 1] << (64 - shift);
  }
  return out;
}

/// An integer modulo Modulus::kValue (odd limbs with a bit set in the highest one), kept reduced and in Montgomery
/// form: value * R mod p with R = 2^(64 * kLimbs).
template <class Modulus>
class Fe {
 public:
  static constexpr auto kModulus = Modulus::kValue;
  static constexpr std::size_t kLimbs = kModulus.size();
  static constexpr std::size_t kBits = 64 * kLimbs - static_cast<std::size_t>(std::countl_zero(kModulus[kLimbs - 1]));
  /// Bytes of an encoding.
  static constexpr std::size_t kSize = (kBits + 7) / 8;

  /// Zero.
  constexpr Fe() = default;
  constexpr explicit Fe(std::uint64_t value) noexcept : Fe(from_limbs({value})) {}
  /// Any limbs, reduced.
  [[nodiscard]] static constexpr Fe from_limbs(const Limbs<kLimbs>& value) noexcept {
    return Fe(montgomery_product(value, kRSquared), Reduced{});
  }

  /// Strict: whether `bytes`, exactly kSize of them, hold a value below the modulus, which `out` becomes.
  [[nodiscard]] static Mask decode(std::span<const std::uint8_t, kSize> bytes, std::endian order, Fe& out) noexcept {
    const auto value = load(bytes, order);
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < kLimbs; ++i) static_cast<void>(detail::subtract(value[i], kModulus[i], borrow));
    out = from_limbs(value);
    return detail::hide(0 - borrow);
  }
  /// The value of `bytes` (at most 16 * kLimbs) modulo the modulus.
  [[nodiscard]] static Fe reduce(Bytes bytes, std::endian order) noexcept {
    const auto low_size = std::min(bytes.size(), 8 * kLimbs);
    const bool big = order == std::endian::big;
    const auto low = big ? bytes.last(low_size) : bytes.first(low_size);
    const auto high = big ? bytes.first(bytes.size() - low_size) : bytes.subspan(low_size);
    const auto high_times_r = montgomery_product(from_limbs(load(high, order)).limbs_, kRSquared);
    return from_limbs(load(low, order)) + Fe(high_times_r, Reduced{});
  }
  /// kSize bytes.
  void encode(std::span<std::uint8_t, kSize> out, std::endian order) const noexcept {
    const auto value = standard();
    for (std::size_t i = 0; i < kSize; ++i)
      out[order == std::endian::big ? kSize - 1 - i : i] = static_cast<std::uint8_t>(value[i / 8] >> (8 * (i % 8)));
  }

  friend constexpr Fe operator+(const Fe& a, const Fe& b) noexcept {
    Limbs<kLimbs> sum{};
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < kLimbs; ++i) sum[i] = detail::add(a.limbs_[i], b.limbs_[i], carry);
    return Fe(subtract_modulus_once(sum, carry), Reduced{});
  }
  friend constexpr Fe operator-(const Fe& a, const Fe& b) noexcept {
    Limbs<kLimbs> out{};
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < kLimbs; ++i) out[i] = detail::subtract(a.limbs_[i], b.limbs_[i], borrow);
    const Mask below_zero = detail::hide(0 - borrow);
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < kLimbs; ++i) out[i] = detail::add(out[i], kModulus[i] & below_zero, carry);
    return Fe(out, Reduced{});
  }
  friend constexpr Fe operator*(const Fe& a, const Fe& b) noexcept {
    return Fe(montgomery_product(a.limbs_, b.limbs_), Reduced{});
  }
  constexpr Fe operator-() const noexcept { return Fe() - *this; }
  [[nodiscard]] constexpr Fe square() const noexcept { return *this * *this; }

  /// This to the power of a public exponent, four bits at a time.
  [[nodiscard]] constexpr Fe pow_public(const Limbs<kLimbs>& exponent) const noexcept {
    std::array<Fe, 16> powers{};
    powers[0] = Fe(1);
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * *this;
    auto out = powers[0];
    for (std::size_t nibble = 16 * kLimbs; nibble-- > 0;) {
      out = out.square().square().square().square();
      const auto digit = (exponent[nibble / 16] >> (4 * (nibble % 16))) & 15U;
      if (digit != 0) out = out * powers[digit];
    }
    if !consteval {
      wipe({reinterpret_cast<std::uint8_t*>(&powers), sizeof powers});
    }
    return out;
  }
  /// 1 / this by Fermat, this^(p - 2); 0 for 0.
  [[nodiscard]] constexpr Fe invert() const noexcept {
    auto exponent = kModulus;
    exponent[0] -= 2;  // the lowest limb of every modulus here is above 1
    return pow_public(exponent);
  }

  [[nodiscard]] constexpr Mask is_zero() const noexcept {
    std::uint64_t any = 0;
    for (const auto limb : limbs_) any |= limb;
    return detail::mask_if_zero(any);
  }
  /// Whether the integer in [0, p) is odd (RFC 9380's sgn0).
  [[nodiscard]] constexpr Mask is_odd() const noexcept { return detail::hide(0 - (standard()[0] & 1U)); }
  [[nodiscard]] friend constexpr Mask equal(const Fe& a, const Fe& b) noexcept { return (a - b).is_zero(); }

  /// a if `mask` is set, else b.
  [[nodiscard]] static constexpr Fe select(Mask mask, const Fe& a, const Fe& b) noexcept {
    Fe out;
    for (std::size_t i = 0; i < kLimbs; ++i) out.limbs_[i] = b.limbs_[i] ^ (mask & (a.limbs_[i] ^ b.limbs_[i]));
    return out;
  }
  [[nodiscard]] constexpr Fe negate_if(Mask mask) const noexcept { return select(mask, -*this, *this); }

 private:
  struct Reduced {};
  constexpr Fe(const Limbs<kLimbs>& limbs, Reduced) noexcept : limbs_(limbs) {}

  /// The value itself, out of Montgomery form.
  [[nodiscard]] constexpr Limbs<kLimbs> standard() const noexcept { return montgomery_product(limbs_, {1}); }

  /// At most 8 * kLimbs bytes.
  [[nodiscard]] static Limbs<kLimbs> load(Bytes bytes, std::endian order) noexcept {
    Limbs<kLimbs> limbs{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint64_t byte = bytes[order == std::endian::big ? bytes.size() - 1 - i : i];
      limbs[i / 8] |= byte << (8 * (i % 8));
    }
    return limbs;
  }

  /// high || value, which is below 2p, modulo p.
  [[nodiscard]] static constexpr Limbs<kLimbs> subtract_modulus_once(const Limbs<kLimbs>& value,
                                                                     std::uint64_t high) noexcept {
    Limbs<kLimbs> out{};
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < kLimbs; ++i) out[i] = detail::subtract(value[i], kModulus[i], borrow);
    const Mask was_below = detail::hide(high - borrow);
    for (std::size_t i = 0; i < kLimbs; ++i) out[i] ^= was_below & (out[i] ^ value[i]);
    return out;
  }

  /// a * b / R modulo p, for a < R and b < p: the sum below is then under 2p * R.
  [[nodiscard]] static constexpr Limbs<kLimbs> montgomery_product(const Limbs<kLimbs>& a,
                                                                  const Limbs<kLimbs>& b) noexcept {
    Limbs<kLimbs> t{};
    std::uint64_t top = 0;
    for (std::size_t i = 0; i < kLimbs; ++i) {
      std::uint64_t carry = 0;  // t += a * b[i]
      for (std::size_t j = 0; j < kLimbs; ++j) t[j] = detail::multiply_add(a[j], b[i], t[j], carry);
      std::uint64_t over = 0;
      top = detail::add(top, carry, over);

      const auto m = t[0] * kMinusInverse;  // t = (t + m * p) / 2^64
      carry = 0;
      static_cast<void>(detail::multiply_add(m, kModulus[0], t[0], carry));
      for (std::size_t j = 1; j < kLimbs; ++j) t[j - 1] = detail::multiply_add(m, kModulus[j], t[j], carry);
      std::uint64_t over_again = 0;
      t[kLimbs - 1] = detail::add(top, carry, over_again);
      top = over + over_again;
    }
    return subtract_modulus_once(t, top);
  }

  /// -1 / p modulo 2^64, by Newton: each round doubles the number of correct bits.
  static constexpr std::uint64_t kMinusInverse = [] {
    std::uint64_t inverse = kModulus[0];  // correct to 3 bits for any odd number
    for (int round = 0; round < 5; ++round) inverse *= 2 - kModulus[0] * inverse;
    return 0 - inverse;
  }();
  /// R^2 modulo p: 1 doubled as often as R^2 has bits.
  static constexpr Limbs<kLimbs> kRSquared = [] {
    Limbs<kLimbs> power{1};
    for (std::size_t bit = 0; bit < 128 * kLimbs; ++bit) {
      const auto high = power[kLimbs - 1] >> 63U;
      for (std::size_t i = kLimbs; i-- > 1;) power[i] = (power[i] << 1U) | (power[i - 1] >> 63U);
      power[0] <<= 1U;
      power = subtract_modulus_once(power, high);
    }
    return power;
  }();

  Limbs<kLimbs> limbs_{};
};

}  // namespace pake::crypto
