#include "opaque/suite.h"

#include <cstdlib>

#include "pake/base/ct.h"
#include "pake/base/rng.h"

namespace pake::opaque {
namespace {

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

Status check_suite(SuiteId suite) noexcept {
  if (!decode_suite_id(static_cast<std::uint8_t>(suite))) return fail(Errc::misuse);
  return {};
}

Suite::Suite(SuiteId id) noexcept : id_(id), sizes_(opaque::sizes(id)), group_(&group_of(id)), ake_(&Ake::get(id)) {}

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

Buffer Suite::encode_to_send(const PublicKey& key) const {
  const auto encoded = encode_public_key(key);
  declassify(encoded.reveal());
  return to_buffer(encoded.reveal());
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
