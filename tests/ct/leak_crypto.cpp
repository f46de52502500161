// The crypto room with a leak planted in it: a map that asks whether a value is a square. Takes x25519.cpp's place.
#define curve25519_elligator2 sound_elligator2
#include "x25519.cpp"  // NOLINT(bugprone-suspicious-include)
#undef curve25519_elligator2

namespace pake::crypto {

X25519Point curve25519_elligator2(std::span<const std::uint8_t, kX25519Size> bytes);
X25519Point curve25519_elligator2(std::span<const std::uint8_t, kX25519Size> bytes) {
  const auto point = sound_elligator2(bytes);
  const auto v = F::reduce(point.reveal(), std::endian::little);
  const auto power = v.pow_public(shift_right(F::kModulus, 1));
  if (equal(power, F(1)) != 0) return sound_elligator2(point.reveal());
  return X25519Point::copy_of(point.reveal());
}

}  // namespace pake::crypto
