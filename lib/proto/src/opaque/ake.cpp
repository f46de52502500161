#include "opaque/ake.h"

#include <array>
#include <cstdlib>

#include "pake/crypto/x25519.h"
#include "pake/internal/try.h"
#include "pake/proto/oprf/oprf.h"

namespace pake::opaque {
namespace {

// RFC 9807, Section 6.4.1, over the group of the OPRF.
//   DeriveDiffieHellmanKeyPair(seed) = DeriveKeyPair(seed, "OPAQUE-DeriveDiffieHellmanKeyPair")
//   DiffieHellman(k, B)              = SerializeElement(k * B), for P-256 33 bytes: the sign of y is part of it
class GroupAke final : public Ake {
 public:
  explicit GroupAke(crypto::GroupId group) noexcept : group_(crypto::Group::get(group)) {}

  [[nodiscard]] Result<KeyPair> derive_diffie_hellman_key_pair(const Seed& seed) const override {
    PAKE_TRY(auto pair,
             oprf::derive_key_pair(group_.id(), seed.reveal(), as_bytes("OPAQUE-DeriveDiffieHellmanKeyPair")));
    return KeyPair{.private_key = std::move(pair.sk), .public_key = PublicKey(std::move(pair.pk))};
  }
  [[nodiscard]] Result<PrivateKey> decode_private_key(Bytes bytes) const override {
    PAKE_TRY(auto key, group_.decode_scalar(bytes));
    if (crypto::Group::is_zero(key)) return fail(Errc::malformed);
    return key;
  }
  [[nodiscard]] Result<PublicKey> public_key_of(const PrivateKey& private_key) const override {
    PAKE_TRY(auto element, group_.multiply_generator(private_key));
    return PublicKey(std::move(element));
  }
  [[nodiscard]] Result<PublicKey> decode_public_key(Bytes bytes) const override {
    PAKE_TRY(auto element, group_.decode(bytes));
    return PublicKey(std::move(element));
  }
  [[nodiscard]] Result<ElementAndKey> decode_element_and_key(Bytes oprf_element, Bytes key) const override {
    std::array<crypto::Decoding, 2> both = {{{.bytes = oprf_element}, {.bytes = key}}};
    PAKE_TRYV(group_.decode(both));
    return ElementAndKey{.element = std::move(both[0].element), .key = PublicKey(std::move(both[1].element))};
  }
  [[nodiscard]] std::vector<Result<PublicKey>> decode_public_keys(std::span<const Bytes> batch) const override {
    std::vector<crypto::Decoding> points;
    points.reserve(batch.size());
    for (const auto& bytes : batch) points.push_back({.bytes = bytes});
    static_cast<void>(group_.decode(points));  // an element that is still empty was malformed
    std::vector<Result<PublicKey>> keys;
    keys.reserve(batch.size());
    for (auto& point : points) keys.push_back(key_of(point));
    return keys;
  }
  [[nodiscard]] std::vector<Result<ElementAndKey>> decode_elements_and_keys(
      std::span<const Both> batch) const override {
    std::vector<crypto::Decoding> points;
    points.reserve(2 * batch.size());
    for (const auto& both : batch) {
      points.push_back({.bytes = both.oprf_element});
      points.push_back({.bytes = both.key});
    }
    static_cast<void>(group_.decode(points));
    std::vector<Result<ElementAndKey>> decoded;
    decoded.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) decoded.push_back(both_of(points[2 * i], points[(2 * i) + 1]));
    return decoded;
  }
  [[nodiscard]] EncodedElement encode_public_key(const PublicKey& key) const override {
    return group_.encode(element_of(key));
  }

  [[nodiscard]] Status diffie_hellman(std::span<DiffieHellman> batch) const override {
    return multiply(nullptr, batch);
  }
  [[nodiscard]] Status evaluate_and_diffie_hellman(Multiplication& evaluation,
                                                   std::span<DiffieHellman> batch) const override {
    return multiply(&evaluation, batch);
  }
  [[nodiscard]] Status evaluate_and_diffie_hellman(std::span<Login> logins) const override {
    std::vector<Multiplication> products;
    products.reserve(4 * logins.size());
    for (const auto& login : logins) {
      for (const auto& dh : login.dh) products.push_back({.scalar = dh.k, .element = &element_of(*dh.B)});
      products.push_back({.scalar = login.evaluation.scalar, .element = login.evaluation.element});
    }
    PAKE_TRYV(group_.multiply(products));
    auto product = products.begin();
    for (auto& login : logins) {
      for (auto& dh : login.dh) dh.result = group_.encode((product++)->result);
      login.evaluation.result = std::move((product++)->result);
    }
    return {};
  }

 private:
  [[nodiscard]] static const crypto::Element& element_of(const PublicKey& key) {
    if (key.element() == nullptr) std::abort();  // a key of another suite
    return *key.element();
  }
  [[nodiscard]] static Result<PublicKey> key_of(crypto::Decoding& point) {
    if (point.element.empty()) return fail(Errc::malformed);
    return PublicKey(std::move(point.element));
  }
  [[nodiscard]] static Result<ElementAndKey> both_of(crypto::Decoding& element, crypto::Decoding& key) {
    if (element.element.empty() || key.element.empty()) return fail(Errc::malformed);
    return ElementAndKey{.element = std::move(element.element), .key = PublicKey(std::move(key.element))};
  }
  [[nodiscard]] Status multiply(Multiplication* evaluation, std::span<DiffieHellman> batch) const {
    std::array<Multiplication, kMaxBatch + 1> room{};
    const auto products = std::span(room).first(batch.size() + (evaluation == nullptr ? 0 : 1));
    for (std::size_t i = 0; i < batch.size(); ++i)
      products[i] = {.scalar = batch[i].k, .element = &element_of(*batch[i].B)};
    if (evaluation != nullptr) products.back() = {.scalar = evaluation->scalar, .element = evaluation->element};
    PAKE_TRYV(group_.multiply(products));
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].result = group_.encode(products[i].result);
    if (evaluation != nullptr) evaluation->result = std::move(products.back().result);
    return {};
  }

  const crypto::Group& group_;
};

// RFC 9807, Section 6.4.1, over Curve25519, beside an OPRF over ristretto255.
//   DeriveDiffieHellmanKeyPair(seed): k = clamp(seed); (k, X25519(k, 9))
//   DiffieHellman(k, B)             = X25519(k, B)
class X25519Ake final : public Ake {
 public:
  [[nodiscard]] Result<KeyPair> derive_diffie_hellman_key_pair(const Seed& seed) const override {
    auto private_key = PrivateKey::copy_of(crypto::x25519_clamp(seed.reveal()).reveal());
    PAKE_TRY(auto public_key, public_key_of(private_key));
    return KeyPair{.private_key = std::move(private_key), .public_key = std::move(public_key)};
  }
  [[nodiscard]] Result<PrivateKey> decode_private_key(Bytes bytes) const override {
    if (bytes.size() != crypto::kX25519Size) return fail(Errc::malformed);
    return PrivateKey::copy_of(bytes);
  }
  [[nodiscard]] Result<PublicKey> public_key_of(const PrivateKey& private_key) const override {
    return PublicKey(crypto::x25519_base(scalar(private_key)));
  }
  // X25519 has no encoding to refuse; a public key of low order is one that any private key takes to zero (RFC 7748,
  // Section 6.1).
  [[nodiscard]] Result<PublicKey> decode_public_key(Bytes bytes) const override {
    if (bytes.size() != crypto::kX25519Size) return fail(Errc::malformed);
    const auto u = bytes.first<crypto::kX25519Size>();
    PAKE_TRYV(crypto::x25519(crypto::X25519Scalar(), u));
    return PublicKey(crypto::X25519Point::copy_of(u));
  }
  [[nodiscard]] Result<ElementAndKey> decode_element_and_key(Bytes oprf_element, Bytes key) const override {
    PAKE_TRY(auto element, crypto::Group::get(crypto::GroupId::ristretto255).decode(oprf_element));
    PAKE_TRY(auto public_key, decode_public_key(key));
    return ElementAndKey{.element = std::move(element), .key = std::move(public_key)};
  }
  [[nodiscard]] std::vector<Result<PublicKey>> decode_public_keys(std::span<const Bytes> batch) const override {
    std::vector<Result<PublicKey>> keys;
    keys.reserve(batch.size());
    for (const auto& bytes : batch) keys.push_back(decode_public_key(bytes));
    return keys;
  }
  [[nodiscard]] std::vector<Result<ElementAndKey>> decode_elements_and_keys(
      std::span<const Both> batch) const override {
    std::vector<Result<ElementAndKey>> decoded;
    decoded.reserve(batch.size());
    for (const auto& both : batch) decoded.push_back(decode_element_and_key(both.oprf_element, both.key));
    return decoded;
  }
  [[nodiscard]] EncodedElement encode_public_key(const PublicKey& key) const override {
    return EncodedElement::copy_of(u_of(key).reveal());
  }

  [[nodiscard]] Status diffie_hellman(std::span<DiffieHellman> batch) const override {
    for (auto& member : batch) {
      PAKE_TRY(const auto product, crypto::x25519(scalar(*member.k), u_of(*member.B).reveal()));
      member.result = EncodedElement::copy_of(product.reveal());
    }
    return {};
  }
  [[nodiscard]] Status evaluate_and_diffie_hellman(Multiplication& evaluation,
                                                   std::span<DiffieHellman> batch) const override {
    PAKE_TRYV(crypto::Group::get(crypto::GroupId::ristretto255).multiply({&evaluation, 1}));
    return diffie_hellman(batch);
  }
  [[nodiscard]] Status evaluate_and_diffie_hellman(std::span<Login> logins) const override {
    for (auto& login : logins) PAKE_TRYV(evaluate_and_diffie_hellman(login.evaluation, login.dh));
    return {};
  }

 private:
  [[nodiscard]] static crypto::X25519Scalar scalar(const PrivateKey& key) {
    return crypto::X25519Scalar::copy_of(key.reveal().first<crypto::kX25519Size>());
  }
  [[nodiscard]] static const crypto::X25519Point& u_of(const PublicKey& key) {
    if (key.u() == nullptr) std::abort();  // a key of another suite
    return *key.u();
  }
};

}  // namespace

const Ake& Ake::get(SuiteId suite) noexcept {
  static const GroupAke ristretto255(crypto::GroupId::ristretto255), p256(crypto::GroupId::p256),
      p384(crypto::GroupId::p384), p521(crypto::GroupId::p521);
  static const X25519Ake curve25519;
  switch (suite) {
    case SuiteId::ristretto255:
      return ristretto255;
    case SuiteId::p256:
      return p256;
    case SuiteId::p384:
      return p384;
    case SuiteId::p521:
      return p521;
    case SuiteId::ristretto255_curve25519:
      return curve25519;
  }
  std::abort();
}

}  // namespace pake::opaque
