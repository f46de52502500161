#include "pake/proto/oprf/oprf.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "octets.h"
#include "oprf/unblind.h"
#include "pake/internal/try.h"

namespace pake::oprf {
namespace {

using crypto::Element;
using crypto::Group;
using crypto::GroupId;
using crypto::Scalar;
using namespace std::string_view_literals;

}  // namespace

Bytes context_string(GroupId suite) noexcept {
  switch (suite) {
    case GroupId::ristretto255:
      return as_bytes("OPRFV1-\0-ristretto255-SHA512"sv);
    case GroupId::p256:
      return as_bytes("OPRFV1-\0-P256-SHA256"sv);
    case GroupId::p384:
      return as_bytes("OPRFV1-\0-P384-SHA384"sv);
    case GroupId::p521:
      return as_bytes("OPRFV1-\0-P521-SHA512"sv);
    case GroupId::edwards25519:
      break;  // RFC 9497 has no such suite
  }
  std::abort();
}

// RFC 9497, Section 3.2.1, DeriveKeyPair.
//   deriveInput = seed || I2OSP(len(info), 2) || info
//   skS         = HashToScalar(deriveInput || I2OSP(counter, 1), DST = "DeriveKeyPair" || contextString),
//                 counter = 0, 1, ..., 255 until it is not 0
Result<Scalar> derive_private_key(GroupId suite, Bytes seed, Bytes info) {
  if (info.size() > 65535) return fail(Errc::misuse);
  const auto& group = Group::get(suite);
  for (std::size_t counter = 0; counter <= 255; ++counter) {
    auto sk = group.hash_to_scalar({seed, i2osp_2(info.size()), info, i2osp_1(counter)},
                                   {as_bytes("DeriveKeyPair"), context_string(suite)});
    if (!Group::is_zero(sk)) return sk;
  }
  return fail(Errc::malformed);  // DeriveKeyPairError: never seen, 2^-252 for each try
}

Result<KeyPair> derive_key_pair(GroupId suite, Bytes seed, Bytes info) {
  PAKE_TRY(auto sk, derive_private_key(suite, seed, info));
  PAKE_TRY(auto pk, Group::get(suite).multiply_generator(sk));
  return KeyPair{.sk = std::move(sk), .pk = std::move(pk)};
}

// RFC 9497, Section 3.3.1, Blind.
//   blind          = G.RandomScalar()
//   inputElement   = G.HashToGroup(input), DST = "HashToGroup-" || contextString
//   blindedElement = blind * inputElement
Result<Blinded> blind(GroupId suite, Bytes input, Rng& rng) {
  if (input.size() > kMaxInputSize) return fail(Errc::misuse);
  const auto& group = Group::get(suite);
  PAKE_TRY(auto blind, group.random_scalar(rng));
  PAKE_TRY(const auto input_element, group.hash_to_group({input}, {as_bytes("HashToGroup-"), context_string(suite)}));
  PAKE_TRY(auto blinded_element, group.multiply(blind, input_element));
  return Blinded{.blind = std::move(blind), .blinded_element = std::move(blinded_element)};
}

// RFC 9497, Section 3.3.1, BlindEvaluate.
//   evaluatedElement = skS * blindedElement
Result<Element> blind_evaluate(GroupId suite, const Scalar& key, const Element& blinded_element) {
  return Group::get(suite).multiply(key, blinded_element);
}

// N = G.ScalarInverse(blind) * evaluatedElement
Result<Element> unblind(GroupId suite, const Scalar& blind, const Element& evaluated_element) {
  const auto& group = Group::get(suite);
  return group.multiply(group.invert(blind), evaluated_element);
}

// RFC 9497, Section 3.3.1, Finalize.
//   unblindedElement = G.SerializeElement(N)
//   Hash(I2OSP(len(input), 2) || input || I2OSP(len(unblindedElement), 2) || unblindedElement || "Finalize")
Result<crypto::Digest> finalize(GroupId suite, Bytes input, const Scalar& blind, const Element& evaluated_element) {
  if (input.size() > kMaxInputSize) return fail(Errc::misuse);
  const auto& group = Group::get(suite);
  PAKE_TRY(const auto N, unblind(suite, blind, evaluated_element));
  const auto unblinded_element = group.encode(N);
  return crypto::hash(group.hash(), {i2osp_2(input.size()), input, i2osp_2(unblinded_element.size()),
                                     unblinded_element.reveal(), as_bytes("Finalize")});
}

}  // namespace pake::oprf
