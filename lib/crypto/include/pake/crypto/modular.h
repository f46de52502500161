// Arithmetic modulo a large odd number, for the PAKEs over prime fields (SRP-6a, EAP-EKE): by OpenSSL's Montgomery
// arithmetic, with secret exponents in constant time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"

namespace pake::crypto {

inline constexpr std::size_t kMinModulusBits = 512;
inline constexpr std::size_t kMaxModulusBits = 8192;

/// An integer below the modulus of the group that made it: size() bytes, big-endian. One of another size aborts.
class Residue {
 public:
  Residue() = default;
  [[nodiscard]] Bytes reveal() const noexcept { return bytes_.reveal(); }
  [[nodiscard]] bool is_zero() const noexcept { return ct_is_zero(reveal()); }
  [[nodiscard]] Residue copy() const { return Residue(SecretBuffer::copy_of(reveal())); }

 private:
  friend class ModularGroup;
  explicit Residue(SecretBuffer bytes) noexcept : bytes_(std::move(bytes)) {}
  SecretBuffer bytes_;
};

/// The integers modulo N. Immutable: any thread may use it.
class ModularGroup {
 public:
  /// @param N  big-endian, odd, of kMinModulusBits to kMaxModulusBits bits (leading zeros aside); else Errc::malformed.
  ///           Whether it is prime, and safe, is the caller's to know: the documents' groups are
  [[nodiscard]] static Result<ModularGroup> make(Bytes N);
  ModularGroup(ModularGroup&&) noexcept;
  ModularGroup& operator=(ModularGroup&&) noexcept;
  ~ModularGroup();

  /// Bytes of N and of every residue.
  [[nodiscard]] std::size_t size() const noexcept;
  /// N, size() bytes.
  [[nodiscard]] Bytes modulus() const noexcept;

  /// A number below N, of at most size() bytes (a shorter one is padded); else Errc::malformed. Zero decodes.
  [[nodiscard]] Result<Residue> decode(Bytes bytes) const;
  /// Any number modulo N.
  [[nodiscard]] Residue reduce(Bytes bytes) const;

  /// base^exponent, for a secret exponent of any size (and 1 for 0, or for an empty one). Its time depends on the size
  /// of the exponent in words of eight bytes, leading zero words not counted.
  [[nodiscard]] Residue power(const Residue& base, Bytes exponent) const;
  [[nodiscard]] Residue multiply(const Residue& a, const Residue& b) const;
  [[nodiscard]] Residue add(const Residue& a, const Residue& b) const;
  [[nodiscard]] Residue subtract(const Residue& a, const Residue& b) const;

 private:
  struct State;
  explicit ModularGroup(std::unique_ptr<const State> state) noexcept;
  std::unique_ptr<const State> state_;
};

/// The primes of the documents: RFC 2409 and RFC 3526 (which EAP-EKE and SRP's groups of 3072 bits and more take, each
/// with generators of its own), and SRP's own (RFC 5054, Appendix A).
enum class Prime : std::uint8_t {
  ike_1024,
  ike_1536,
  ike_2048,
  ike_3072,
  ike_4096,
  ike_6144,
  ike_8192,
  srp_1024,
  srp_1536,
  srp_2048,
};
/// The integers modulo that prime; made once, and never freed.
[[nodiscard]] const ModularGroup& modular_group(Prime prime);

/// Whether N and (N - 1) / 2 are primes (probably: Miller and Rabin's test). N is public.
[[nodiscard]] bool is_safe_prime(Bytes N);

/// a * b + c as an integer, big-endian, in max(a.size() + b.size(), c.size()) + 1 bytes, in constant time: SRP's
/// exponent a + u * x.
[[nodiscard]] SecretBuffer multiply_add(Bytes a, Bytes b, Bytes c);

}  // namespace pake::crypto
