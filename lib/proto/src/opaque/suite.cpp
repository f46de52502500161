#include "opaque/suite.h"

#include <cstdlib>

#include "pake/base/ct.h"
#include "pake/base/rng.h"
#include "pake/crypto/x25519.h"
#include "pake/internal/try.h"
#include "pake/proto/oprf/oprf.h"

namespace pake::opaque {
namespace {

constexpr auto kX25519Size = crypto::kX25519Size;

const crypto::Group& group_of(SuiteId suite) noexcept {
  using crypto::Group;
  using crypto::GroupId;
  switch (suite) {
    case SuiteId::ristretto255:
    case SuiteId::ristretto255_curve25519:
      return Group::get(GroupId::ristretto255);
    case SuiteId::p256:
      return Group::get(GroupId::p256);
    case SuiteId::p384:
      return Group::get(GroupId::p384);
    case SuiteId::p521:
      return Group::get(GroupId::p521);
  }
  std::abort();
}

crypto::X25519Scalar as_x25519(const PrivateKey& key) {
  return crypto::X25519Scalar::copy_of(key.reveal().first<kX25519Size>());
}

Result<PublicKey> x25519(const PrivateKey& k, Bytes u) {
  PAKE_TRY(const auto product, crypto::x25519(as_x25519(k), u.first<kX25519Size>()));
  return PublicKey::copy_of(product.reveal());
}

}  // namespace

Result<SuiteId> decode_suite_id(std::uint8_t byte) {
  const auto suite = static_cast<SuiteId>(byte);
  switch (suite) {
    case SuiteId::ristretto255:
    case SuiteId::p256:
    case SuiteId::p384:
    case SuiteId::p521:
    case SuiteId::ristretto255_curve25519:
      return suite;
  }
  return fail(Errc::malformed);
}

Suite::Suite(SuiteId id) noexcept
    : id_(id),
      sizes_(opaque::sizes(id)),
      group_(&group_of(id)),
      ake_is_x25519_(id == SuiteId::ristretto255_curve25519) {}

Digest Suite::extract(std::initializer_list<Bytes> ikm) const { return crypto::hkdf_extract(hash_id(), {}, ikm); }

Digest Suite::mac(const Digest& key, std::initializer_list<Bytes> message) const {
  return crypto::hmac(hash_id(), key.reveal(), message);
}

Digest Suite::hash(std::initializer_list<Bytes> message) const { return crypto::hash(hash_id(), message); }

Buffer Suite::encode_oprf_element(const OprfElement& element) const {
  const auto encoded = group_->encode(element);
  declassify(encoded.reveal());
  return to_buffer(encoded.reveal());
}

// RFC 9807, Section 6.4.1, DeriveDiffieHellmanKeyPair.
//   ristretto255, P-256, P-384, P-521:  DeriveKeyPair(seed, "OPAQUE-DeriveDiffieHellmanKeyPair")
//   curve25519:                         k = clamp(seed); (k, X25519(k, 9))
Result<KeyPair> Suite::derive_diffie_hellman_key_pair(const Seed& seed) const {
  if (ake_is_x25519_) {
    auto private_key = PrivateKey::copy_of(crypto::x25519_clamp(seed.reveal()).reveal());
    PAKE_TRY(auto public_key, public_key_of(private_key));
    return KeyPair{.private_key = std::move(private_key), .public_key = std::move(public_key)};
  }
  PAKE_TRY(auto pair, oprf::derive_key_pair(oprf(), seed.reveal(), as_bytes("OPAQUE-DeriveDiffieHellmanKeyPair")));
  return KeyPair{.private_key = std::move(pair.sk), .public_key = std::move(pair.pk)};
}

Result<PrivateKey> Suite::decode_private_key(Bytes bytes) const {
  if (ake_is_x25519_) {
    if (bytes.size() != kX25519Size) return fail(Errc::malformed);
    return PrivateKey::copy_of(bytes);
  }
  PAKE_TRY(auto key, group_->decode_scalar(bytes));
  if (crypto::Group::is_zero(key)) return fail(Errc::malformed);
  return key;
}

Result<PublicKey> Suite::public_key_of(const PrivateKey& private_key) const {
  if (ake_is_x25519_) return PublicKey::copy_of(crypto::x25519_base(as_x25519(private_key)).reveal());
  return group_->multiply_generator(private_key);
}

// X25519 has no encoding to refuse; a public key of low order is one that any private key takes to zero (RFC 7748,
// Section 6.1).
Result<PublicKey> Suite::decode_public_key(Bytes bytes) const {
  if (!ake_is_x25519_) return group_->decode(bytes);
  if (bytes.size() != kX25519Size) return fail(Errc::malformed);
  PAKE_TRYV(x25519(PrivateKey::make(kX25519Size, [](MutableBytes) {}), bytes));
  return PublicKey::copy_of(bytes);
}

EncodedElement Suite::encode_public_key(const PublicKey& key) const {
  return ake_is_x25519_ ? EncodedElement::copy_of(key.reveal()) : group_->encode(key);
}

Buffer Suite::encode_to_send(const PublicKey& key) const {
  const auto encoded = encode_public_key(key);
  declassify(encoded.reveal());
  return to_buffer(encoded.reveal());
}

// RFC 9807, Section 6.4.1, DiffieHellman.
//   ristretto255, P-256, P-384, P-521:  SerializeElement(k * B), for P-256 33 bytes: the sign of y is part of it
//   curve25519:                         X25519(k, B)
Status Suite::diffie_hellman(std::span<Multiplication> batch) const {
  if (!ake_is_x25519_) return group_->multiply(batch);
  for (auto& product : batch) {
    PAKE_TRY(product.result, x25519(*product.scalar, product.element->reveal()));
  }
  return {};
}

Status Suite::evaluate_and_diffie_hellman(std::span<Multiplication> batch) const {
  if (!ake_is_x25519_) return group_->multiply(batch);
  PAKE_TRYV(group_->multiply(batch.first(1)));
  return diffie_hellman(batch.subspan(1));
}

Nonce random_nonce(Rng& rng) {
  Nonce nonce;
  rng.fill(nonce);
  declassify(nonce);  // it is sent
  return nonce;
}

Seed random_seed(Rng& rng) {
  return Seed::make([&](MutableBytes out) { rng.fill(out); });
}

}  // namespace pake::opaque
