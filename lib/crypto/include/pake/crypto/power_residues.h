// A modulus made to betray: for the laboratory's attack on protocols that encrypt under a peer's RSA key and never ask
// what the key is.
#pragma once

#include <cstddef>
#include <memory>

#include "pake/base/bytes.h"

namespace pake::crypto {

/// n = p1 * ... * p8 of 1,024 bits, the highest 64 ones, with 3 dividing every pi - 1: of the numbers below n only one
/// in 3^8 is a cube. Nothing about it is secret.
class CubeModulus {
 public:
  static constexpr std::size_t kSize = 128;
  static constexpr std::size_t kPrimes = 8;

  /// From OpenSSL's generator.
  [[nodiscard]] static CubeModulus generate();
  CubeModulus(CubeModulus&&) noexcept;
  CubeModulus& operator=(CubeModulus&&) noexcept;
  ~CubeModulus();

  /// kSize bytes, big-endian.
  [[nodiscard]] Bytes modulus() const noexcept;
  /// Whether the number is a cube modulo n: whether number^((p-1)/3) is 1 or 0 modulo each p.
  [[nodiscard]] bool is_cube_vartime(Bytes number) const;

 private:
  struct State;
  explicit CubeModulus(std::unique_ptr<const State> state) noexcept;
  std::unique_ptr<const State> state_;
};

}  // namespace pake::crypto
