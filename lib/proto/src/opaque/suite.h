// Private to the room: what the functions of RFC 9807 ask of a suite. Hash, HKDF, HMAC and the groups.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

#include "opaque/ake.h"
#include "pake/base/bytes.h"
#include "pake/base/ct.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"
#include "pake/proto/opaque/messages.h"
#include "pake/proto/opaque/suite.h"

namespace pake::opaque {

using crypto::Digest;
/// Errc::misuse unless `suite` is one of the enumerators.
[[nodiscard]] Status check_suite(SuiteId suite) noexcept;

class Suite {
 public:
  explicit Suite(SuiteId id) noexcept;

  [[nodiscard]] SuiteId id() const noexcept { return id_; }
  [[nodiscard]] const Sizes& sizes() const noexcept { return sizes_; }
  [[nodiscard]] crypto::GroupId oprf() const noexcept { return group_->id(); }
  [[nodiscard]] crypto::HashId hash_id() const noexcept { return group_->hash(); }

  // --- RFC 9807, Section 2.2: KDF and MAC.

  /// Extract("", ikm): every Extract of the protocol has the empty salt.
  [[nodiscard]] Digest extract(std::initializer_list<Bytes> ikm) const;
  template <class Secret = Digest>
  [[nodiscard]] Secret expand(Bytes prk, std::initializer_list<Bytes> info, std::size_t size) const {
    return Secret::make(size, [&](MutableBytes out) { crypto::hkdf_expand(hash_id(), prk, info, out); });
  }
  /// The same from a prk that HMAC was keyed with once.
  template <class Secret = Digest>
  [[nodiscard]] static Secret expand(const crypto::Hmac& prk, std::initializer_list<Bytes> info, std::size_t size) {
    return Secret::make(size, [&](MutableBytes out) { crypto::hkdf_expand(prk, info, out); });
  }
  [[nodiscard]] crypto::Hmac keyed(const Digest& prk) const { return {hash_id(), prk.reveal()}; }
  [[nodiscard]] Digest mac(const Digest& key, std::initializer_list<Bytes> message) const;
  [[nodiscard]] Digest hash(std::initializer_list<Bytes> message) const;

  // --- RFC 9807, Section 2.1 and RFC 9497: elements of the OPRF.

  [[nodiscard]] Result<OprfElement> decode_oprf_element(Bytes bytes) const { return group_->decode(bytes); }
  /// An element about to be sent.
  [[nodiscard]] Buffer encode_oprf_element(const OprfElement& element) const;

  // --- RFC 9807, Section 6.4.1: the AKE's group.

  [[nodiscard]] const Ake& ake() const noexcept { return *ake_; }
  [[nodiscard]] Result<KeyPair> derive_diffie_hellman_key_pair(const Seed& seed) const {
    return ake_->derive_diffie_hellman_key_pair(seed);
  }
  [[nodiscard]] Result<PublicKey> decode_public_key(Bytes bytes) const { return ake_->decode_public_key(bytes); }
  [[nodiscard]] EncodedElement encode_public_key(const PublicKey& key) const { return ake_->encode_public_key(key); }
  /// A public key about to be sent.
  [[nodiscard]] Buffer encode_to_send(const PublicKey& key) const;

 private:
  SuiteId id_;
  Sizes sizes_;
  const crypto::Group* group_;  // the OPRF's
  const Ake* ake_;
};

/// `random(32)`.
[[nodiscard]] Nonce random_nonce(Rng& rng);
[[nodiscard]] Seed random_seed(Rng& rng);

/// So many nonces and then a seed, drawn in this order by one call.
template <std::size_t kNonces>
struct NoncesAndSeed {
  std::array<Nonce, kNonces> nonces;
  Seed seed;

  explicit NoncesAndSeed(Rng& rng) {
    const auto drawn = Secret<kNonces * kNn + kNseed>::make([&](MutableBytes out) { rng.fill(out); });
    auto rest = Bytes(drawn.reveal());
    for (auto& nonce : nonces) {
      std::ranges::copy(rest.first(kNn), nonce.begin());
      declassify(nonce);  // it is sent
      rest = rest.subspan(kNn);
    }
    seed = Seed::copy_of(rest.first<kNseed>());
  }
};

}  // namespace pake::opaque
