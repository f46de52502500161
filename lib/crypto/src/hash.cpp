// The one place that calls SHA-2's and SHA-1's low-level functions, which OpenSSL 3.0 deprecates without a replacement
// whose state is plain memory: here a clone is a copy of 224 bytes, where an EVP context is an object on the heap.
// OPAQUE and CPace are made of short hashes: SHA-512 of 64 bytes takes 148 ns here, 247 ns by a prefetched EVP_MD, 428
// ns by EVP_sha512.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "pake/crypto/hash.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

namespace pake::crypto {
namespace {

SHA256_CTX& sha256(std::byte* state) noexcept { return *std::launder(reinterpret_cast<SHA256_CTX*>(state)); }
SHA_CTX& sha1(std::byte* state) noexcept { return *std::launder(reinterpret_cast<SHA_CTX*>(state)); }
SHA512_CTX& sha512(std::byte* state) noexcept { return *std::launder(reinterpret_cast<SHA512_CTX*>(state)); }

void wipe_state(std::byte* state, std::size_t size) noexcept { wipe({reinterpret_cast<std::uint8_t*>(state), size}); }

}  // namespace

Hash::Hash(HashId hash) noexcept : hash_(hash) {
  static_assert(sizeof(SHA_CTX) <= kStateSize && sizeof(SHA256_CTX) <= kStateSize && sizeof(SHA512_CTX) <= kStateSize);
  static_assert(alignof(SHA256_CTX) <= 16 && alignof(SHA512_CTX) <= 16);
  switch (hash_) {
    case HashId::sha256:
      SHA256_Init(new (state_) SHA256_CTX);
      break;
    case HashId::sha384:
      SHA384_Init(new (state_) SHA512_CTX);
      break;
    case HashId::sha512:
      SHA512_Init(new (state_) SHA512_CTX);
      break;
    case HashId::sha1:
      SHA1_Init(new (state_) SHA_CTX);
      break;
  }
}

Hash::Hash(const Hash& other) noexcept : hash_(other.hash_) { std::memcpy(state_, other.state_, kStateSize); }

Hash& Hash::operator=(const Hash& other) noexcept {
  if (this != &other) {
    hash_ = other.hash_;
    std::memcpy(state_, other.state_, kStateSize);
  }
  return *this;
}

Hash::~Hash() { wipe_state(state_, kStateSize); }

Hash& Hash::update(Bytes bytes) noexcept {
  switch (hash_) {
    case HashId::sha256:
      SHA256_Update(&sha256(state_), bytes.data(), bytes.size());
      break;
    case HashId::sha384:
      SHA384_Update(&sha512(state_), bytes.data(), bytes.size());
      break;
    case HashId::sha512:
      SHA512_Update(&sha512(state_), bytes.data(), bytes.size());
      break;
    case HashId::sha1:
      SHA1_Update(&sha1(state_), bytes.data(), bytes.size());
      break;
  }
  return *this;
}

Digest Hash::finish() noexcept {
  return Digest::make(output_size(hash_), [this](MutableBytes out) {
    switch (hash_) {
      case HashId::sha256:
        SHA256_Final(out.data(), &sha256(state_));
        break;
      case HashId::sha384:
        SHA384_Final(out.data(), &sha512(state_));
        break;
      case HashId::sha512:
        SHA512_Final(out.data(), &sha512(state_));
        break;
      case HashId::sha1:
        SHA1_Final(out.data(), &sha1(state_));
        break;
    }
  });
}

Digest hash(HashId hash, std::initializer_list<Bytes> parts) noexcept {
  Hash running(hash);
  for (const auto part : parts) running.update(part);
  return running.finish();
}

// RFC 2104.  HMAC(K, text) = H(K xor opad || H(K xor ipad || text)), K zero-padded to a block, hashed first if longer.
Hmac::Hmac(HashId hash, Bytes key) noexcept : inner_(hash), outer_(hash) {
  const auto block = block_size(hash);
  Digest hashed;
  if (key.size() > block) {
    hashed = crypto::hash(hash, {key});
    key = hashed.reveal();
  }
  std::array<std::uint8_t, kMaxHashBlockSize> padded{};
  const auto xored = [&](std::uint8_t pad) {
    std::ranges::fill(padded, pad);
    for (std::size_t i = 0; i < key.size(); ++i) padded[i] = key[i] ^ pad;
    return Bytes(padded).first(block);
  };
  inner_.update(xored(0x36));
  outer_.update(xored(0x5c));
  wipe(padded);
}

Hmac& Hmac::update(Bytes bytes) noexcept {
  inner_.update(bytes);
  return *this;
}

Digest Hmac::finish() noexcept {
  outer_.update(inner_.finish().reveal());
  return outer_.finish();
}

Digest hmac(HashId hash, Bytes key, std::initializer_list<Bytes> parts) noexcept {
  Hmac running(hash, key);
  for (const auto part : parts) running.update(part);
  return running.finish();
}

Digest hkdf_extract(HashId hash, Bytes salt, std::initializer_list<Bytes> ikm_parts) noexcept {
  // Most protocols extract with the empty salt: its pads are hashed once, and are no secret.
  static const std::array<Hmac, kHashSizes.size()> unsalted = {Hmac(HashId::sha256, {}), Hmac(HashId::sha384, {}),
                                                               Hmac(HashId::sha512, {}), Hmac(HashId::sha1, {})};
  if (!salt.empty()) return hmac(hash, salt, ikm_parts);
  auto running = unsalted[static_cast<std::size_t>(hash)];
  for (const auto part : ikm_parts) running.update(part);
  return running.finish();
}

// T(i) = HMAC(PRK, T(i-1) || info || I2OSP(i, 1)), T(0) empty.
void hkdf_expand(HashId hash, Bytes prk, std::initializer_list<Bytes> info_parts, MutableBytes out) noexcept {
  hkdf_expand(Hmac(hash, prk), info_parts, out);
}

void hkdf_expand(const Hmac& keyed, std::initializer_list<Bytes> info_parts, MutableBytes out) noexcept {
  if (out.size() > 255 * output_size(keyed.hash())) std::abort();
  Digest block;
  for (std::uint8_t i = 1; !out.empty(); ++i) {
    auto mac = keyed;
    mac.update(block.reveal());
    for (const auto part : info_parts) mac.update(part);
    block = mac.update({&i, 1}).finish();
    const auto size = std::min(out.size(), block.size());
    std::ranges::copy(block.reveal().first(size), out.begin());
    out = out.subspan(size);
  }
}

}  // namespace pake::crypto
