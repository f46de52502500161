// RSA as the seed's protocol uses it: PKCS#1 v1.5 encryption under keys that live for one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"

namespace pake::crypto {

inline constexpr std::size_t kRsaMinBits = 1024;  // breakable today, and what the seed uses
inline constexpr std::size_t kRsaMaxBits = 4096;
inline constexpr std::size_t kRsaMaxModulusSize = kRsaMaxBits / 8;
/// The PEM of the largest key, without a trailing newline.
inline constexpr std::size_t kRsaMaxPemSize = 799;
/// What PKCS#1 v1.5 adds to a message: two octets, at least eight of padding, one separator.
inline constexpr std::size_t kRsaPkcs1Overhead = 11;

/// What was wrong with a peer's public key.
enum class RsaKeyError : std::uint8_t {
  not_pem,       // not the PEM of an RSA key, or not spelled as we would spell it
  too_small,     // the modulus has fewer than kRsaMinBits bits
  too_large,     // the modulus has more than kRsaMaxBits bits, or the text is longer than kRsaMaxPemSize
  even_modulus,  // 2 divides it
  bad_exponent,  // even, below 3, or above 2^32 - 1
};

/// A peer's key, checked: kRsaMinBits to kRsaMaxBits bits, an odd modulus, an odd exponent from 3 to 2^32 - 1.
/// (The upper bound keeps a peer from making us compute for long: an exponent as long as the modulus costs a hundred
/// times more than the usual 65537. Nothing here can know whether the modulus is a product of two primes.)
class RsaPublicKey {
 public:
  /// A SubjectPublicKeyInfo (RFC 5280, Section 4.1) in PEM (RFC 7468) with lines of 64 characters and no newline at its
  /// end, as Python's exportKey() writes it. Only a text that equals its own re-encoding is accepted.
  [[nodiscard]] static std::expected<RsaPublicKey, RsaKeyError> from_pem(Bytes pem);

  RsaPublicKey(RsaPublicKey&&) noexcept;
  RsaPublicKey& operator=(RsaPublicKey&&) noexcept;
  ~RsaPublicKey();

  /// RSAES-PKCS1-V1_5-ENCRYPT (RFC 8017, Section 7.2.1); the padding comes from `rng`.
  /// @param message  at most modulus_size() - kRsaPkcs1Overhead bytes; more aborts (the caller checks)
  /// @return         modulus_size() bytes; Errc::unavailable if `rng` keeps giving zeros
  [[nodiscard]] Result<Buffer> encrypt(Bytes message, Rng& rng) const;

  [[nodiscard]] std::size_t bits() const noexcept;
  [[nodiscard]] std::size_t modulus_size() const noexcept;

 private:
  friend class RsaKeyPair;
  struct Key;
  explicit RsaPublicKey(std::unique_ptr<Key> key) noexcept;
  std::unique_ptr<Key> key_;
};

/// A key pair of our own. The private half is wiped by OpenSSL when it goes.
class RsaKeyPair {
 public:
  /// A fresh pair with the exponent 65537, from OpenSSL's generator (EVP takes no other). Errc::misuse unless
  /// kRsaMinBits <= bits <= kRsaMaxBits.
  [[nodiscard]] static Result<RsaKeyPair> generate(std::size_t bits);
  /// A pair that we wrote ourselves: PKCS#8, DER. Errc::malformed when it is not that or its public half would be
  /// refused by RsaPublicKey. The numbers are trusted, not proved: never for a stranger's bytes.
  [[nodiscard]] static Result<RsaKeyPair> from_pkcs8(Bytes der);

  RsaKeyPair(RsaKeyPair&&) noexcept;
  RsaKeyPair& operator=(RsaKeyPair&&) noexcept;
  ~RsaKeyPair();

  /// RSAES-PKCS1-V1_5-DECRYPT (RFC 8017, Section 7.2.2). Errc::malformed when `ciphertext` is not modulus_size() bytes
  /// below the modulus or holds no such block. It says when padding is wrong, which Bleichenbacher's attack turns into
  /// a decryption of other messages: only for a key that decrypts once.
  [[nodiscard]] Result<SecretUpTo<kRsaMaxModulusSize>> decrypt(Bytes ciphertext) const;

  /// The public half as RsaPublicKey::from_pem reads it.
  [[nodiscard]] const std::string& public_pem() const noexcept { return public_pem_; }
  [[nodiscard]] std::size_t bits() const noexcept;
  [[nodiscard]] std::size_t modulus_size() const noexcept;

 private:
  explicit RsaKeyPair(std::unique_ptr<RsaPublicKey::Key> key);
  std::unique_ptr<RsaPublicKey::Key> key_;
  std::string public_pem_;
};

}  // namespace pake::crypto
