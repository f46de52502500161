// SHA-2 (and SHA-1, for protocols that name it), HMAC and HKDF, chosen at run time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

/// SHA-1 is broken where collisions matter; SRP-6a and EAP-EKE name it, and nothing else here may.
enum class HashId : std::uint8_t { sha256, sha384, sha512, sha1 };

struct HashSizes {
  std::size_t output;
  std::size_t block;
};
/// By HashId.
inline constexpr std::array<HashSizes, 4> kHashSizes = {{{32, 64}, {48, 128}, {64, 128}, {20, 64}}};

/// Output bytes (RFC 9380's b, OPAQUE's Nh, CPace's b_in_bytes): 32, 48, 64; 20.
[[nodiscard]] constexpr std::size_t output_size(HashId hash) noexcept {
  return kHashSizes[static_cast<std::size_t>(hash)].output;
}
/// Input block bytes (RFC 9380's s, CPace's s_in_bytes): 64, 128, 128; 64.
[[nodiscard]] constexpr std::size_t block_size(HashId hash) noexcept {
  return kHashSizes[static_cast<std::size_t>(hash)].block;
}
static_assert(output_size(HashId::sha1) == 20 && block_size(HashId::sha1) == 64 && output_size(HashId::sha384) == 48);

inline constexpr std::size_t kMaxHashSize = 64;
inline constexpr std::size_t kMaxHashBlockSize = 128;

/// A hash, a MAC or a key derived from them: output_size(hash) bytes, treated as secret throughout.
using Digest = SecretUpTo<kMaxHashSize, struct DigestTag>;

/// A running hash. Copying clones the state (OPAQUE hashes a preamble, then goes on); the state is wiped at its end.
class Hash {
 public:
  explicit Hash(HashId hash) noexcept;
  [[nodiscard]] HashId id() const noexcept { return hash_; }
  Hash(const Hash&) noexcept;
  Hash& operator=(const Hash&) noexcept;
  ~Hash();

  Hash& update(Bytes bytes) noexcept;
  /// The hash of everything so far. The object must not be updated afterwards.
  [[nodiscard]] Digest finish() noexcept;

 private:
  static constexpr std::size_t kStateSize = 224;  // room for the library's state, checked where it is known
  HashId hash_;
  alignas(16) std::byte state_[kStateSize];
};

/// Hash(part || part || ...), one-shot.
[[nodiscard]] Digest hash(HashId hash, std::initializer_list<Bytes> parts) noexcept;

/// HMAC (RFC 2104) under a key of any length, keyed once. Copying clones the keyed state: two hash blocks cheaper than
/// keying again.
class Hmac {
 public:
  Hmac(HashId hash, Bytes key) noexcept;
  [[nodiscard]] HashId hash() const noexcept { return inner_.id(); }
  Hmac& update(Bytes bytes) noexcept;
  /// The tag, output_size(hash) bytes. The object must not be updated afterwards.
  [[nodiscard]] Digest finish() noexcept;

 private:
  Hash inner_, outer_;
};

/// HMAC(key, part || part || ...), one-shot.
[[nodiscard]] Digest hmac(HashId hash, Bytes key, std::initializer_list<Bytes> parts) noexcept;

/// HKDF-Extract (RFC 5869, Section 2.2): the pseudorandom key, output_size(hash) bytes.
[[nodiscard]] Digest hkdf_extract(HashId hash, Bytes salt, std::initializer_list<Bytes> ikm_parts) noexcept;

/// HKDF-Expand (RFC 5869, Section 2.3) of info = part || part || ... into the whole of `out`, at most 255 *
/// output_size(hash) bytes; more aborts (lengths are constants of the protocols).
void hkdf_expand(HashId hash, Bytes prk, std::initializer_list<Bytes> info_parts, MutableBytes out) noexcept;
/// The same from HMAC keyed with the pseudorandom key once, for several outputs: it must not have been updated.
void hkdf_expand(const Hmac& keyed, std::initializer_list<Bytes> info_parts, MutableBytes out) noexcept;

}  // namespace pake::crypto

PAKE_EXPORT_END
