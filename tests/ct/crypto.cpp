// Everything of the crypto room that follows a password, a blind or a private key, on secret bytes.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <tuple>

#include "backends.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/x25519.h"
#include "secrets.h"

namespace {

using namespace pake;
using namespace pake::crypto;

void require(bool condition, const char* what) {
  if (condition) return;
  std::ignore = std::fprintf(stderr, "error: %s\n", what);
  std::abort();
}

template <class T>
T must(Result<T> result) {
  require(result.has_value(), "a step failed that cannot fail here");
  return std::move(*result);
}

void run_hashes(HashId id, Bytes password) {
  const auto digest = hash(id, {password});
  const auto mac = hmac(id, digest.reveal(), {password});
  const auto prk = hkdf_extract(id, {}, {mac.reveal()});
  Buffer out(100);
  hkdf_expand(id, prk.reveal(), {digest.reveal()}, out);
}

void run_group(const Group& group, Bytes password, Rng& rng) {
  const auto dst = as_bytes("DST");
  const auto element = must(group.hash_to_group({password}, {dst}));
  const auto blind = must(group.random_scalar(rng));
  const auto key = group.hash_to_scalar({password}, {dst});
  const auto blinded = must(group.multiply(blind, element));
  const auto evaluated = must(group.multiply(key, blinded));
  const auto unblinded = must(group.multiply(group.invert(blind), evaluated));
  const auto public_key = must(group.multiply_generator(key));
  const auto encoded = group.encode(unblinded);
  require(ct::is_secret(encoded.reveal()) && ct::is_secret(group.encode(public_key).reveal()),
          "a product of secrets is secret");
  std::ignore = must(group.decode(encoded.reveal()));  // a point that a secret unmasked
  std::ignore = must(group.decode_scalar(key.reveal()));
  std::ignore = Group::is_zero(key);
  std::ignore = group.decode(ct::secret(password.first(group.element_size())));  // and garbage
}

/// As many as the lanes of any vector unit are used for.
void run_ristretto255_batch(Bytes password, Rng& rng) {
  const auto& group = Group::get(GroupId::ristretto255);
  const auto key = group.hash_to_scalar({password}, {as_bytes("DST")});
  const auto blind = must(group.random_scalar(rng));
  const auto encoded = group.encode(must(group.multiply_generator(blind)));
  std::array<Decoding, 3> points;
  for (auto& point : points) point.bytes = encoded.reveal();
  require(group.decode(points).has_value(), "a batch does not decode");
  std::array<Multiplication, 3> products = {
      {{&key, &points[0].element}, {&blind, &points[1].element}, {&key, &points[2].element}}};
  require(group.multiply(products).has_value(), "a batch is not multiplied");
  require(ct::is_secret(group.encode(products[2].result).reveal()), "a product of secrets is secret");
}

void run_nist(GroupId id, Bytes password, Rng& rng) {
  const auto generator = nist_encode_to_curve(id, password, as_bytes("DST"));
  const auto share = must(Group::get(id).multiply(must(Group::get(id).random_scalar(rng)), generator));
  const auto encoded = nist_encode_uncompressed(id, share);
  std::ignore = must(nist_decode_uncompressed(id, encoded.reveal()));
  std::ignore = nist_x_coordinate(id, share);
}

void run_curve25519(Bytes password, Rng& rng) {
  const auto uniform = hash(HashId::sha512, {password});
  const auto generator = curve25519_elligator2(uniform.reveal().first<kX25519Size>());
  const auto k = X25519Scalar::make([&](MutableBytes out) { rng.fill(out); });
  const auto share = must(x25519(k, generator.reveal()));
  std::ignore = must(x25519(x25519_clamp(k.reveal()), share.reveal()));
  std::ignore = x25519_base(k);
  std::ignore = must(ristretto255_from_uniform(uniform.reveal().first<64>()));
}

}  // namespace

int main() {
  ct::SecretRng rng(1);
  Buffer password(100);
  rng.fill(password);
  for (const auto id : {HashId::sha256, HashId::sha384, HashId::sha512, HashId::sha1}) run_hashes(id, password);
  ct::for_each_ristretto255_backend([&] {
    run_group(Group::get(GroupId::ristretto255), password, rng);
    run_ristretto255_batch(password, rng);
  });
  for (const auto id : {GroupId::p256, GroupId::p384, GroupId::p521}) run_group(Group::get(id), password, rng);
  for (const auto id : {GroupId::p256, GroupId::p384, GroupId::p521}) run_nist(id, password, rng);
  ct::for_each_ristretto255_backend([&] { run_curve25519(password, rng); });
}
