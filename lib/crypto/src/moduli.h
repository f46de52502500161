// Private to the room: every modulus of the documents.
#pragma once

#include "field.h"

namespace pake::crypto {

/// 2^255 - 19 (RFC 7748).
struct Curve25519Prime {
  static constexpr auto kValue = limbs_from_hex<4>("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
};
/// l = 2^252 + 27742317777372353535851937790883648493 (RFC 9496).
struct Ristretto255Order {
  static constexpr auto kValue = limbs_from_hex<4>("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
};
// FIPS 186-4, Section D.1.2: p and n of each curve.
struct P256Prime {
  static constexpr auto kValue = limbs_from_hex<4>("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
};
struct P256Order {
  static constexpr auto kValue = limbs_from_hex<4>("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
};
struct P384Prime {
  static constexpr auto kValue = limbs_from_hex<6>(
      "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff");
};
struct P384Order {
  static constexpr auto kValue = limbs_from_hex<6>(
      "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973");
};
struct P521Prime {
  static constexpr auto kValue = limbs_from_hex<9>(
      "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
};
struct P521Order {
  static constexpr auto kValue = limbs_from_hex<9>(
      "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
      "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409");
};

}  // namespace pake::crypto
