#include "pake/proto/opaque/server_keys.h"

#include <array>

#include "opaque/key_schedule.h"
#include "opaque/suite.h"
#include "pake/internal/try.h"
#include "pake/proto/oprf/oprf.h"

namespace pake::opaque {

ServerKeys::ServerKeys(SuiteId suite, Digest oprf_seed, PrivateKey private_key, Buffer public_key) noexcept
    : suite_(suite),
      oprf_seed_(std::move(oprf_seed)),
      private_key_(std::move(private_key)),
      public_key_(std::move(public_key)) {}

Result<ServerKeys> ServerKeys::generate(SuiteId id, Rng& rng) {
  const Suite suite(id);
  auto oprf_seed = Digest::make(suite.sizes().Nh, [&](MutableBytes out) { rng.fill(out); });
  PAKE_TRY(auto pair, suite.derive_diffie_hellman_key_pair(random_seed(rng)));
  return ServerKeys(id, std::move(oprf_seed), std::move(pair.private_key), suite.encode_to_send(pair.public_key));
}

Result<ServerKeys> ServerKeys::decode(SuiteId id, const Encoded& secrets) {
  const Suite suite(id);
  if (secrets.oprf_seed.size() != suite.sizes().Nh) return fail(Errc::malformed);
  PAKE_TRY(auto private_key, suite.ake().decode_private_key(secrets.private_key));
  PAKE_TRY(const auto public_key, suite.ake().public_key_of(private_key));
  return ServerKeys(id, Digest::copy_of(secrets.oprf_seed), std::move(private_key), suite.encode_to_send(public_key));
}

Result<KeyOperationAnswer> ServerKeys::answer(const KeyOperation& operation) const {
  if (operation.suite != suite_) return fail(Errc::misuse);
  const Suite suite(suite_);
  PAKE_TRY(const auto blinded_message, suite.decode_oprf_element(operation.blinded_message));
  PAKE_TRY(const auto oprf_key, derive_oprf_key(suite, oprf_seed_, operation.credential_identifier));
  PAKE_TRY(const auto evaluated, oprf::blind_evaluate(suite.oprf(), oprf_key, blinded_message));
  KeyOperationAnswer answer{.evaluated_message = suite.encode_oprf_element(evaluated), .dh2 = {}};
  if (operation.client_public_keyshare.empty()) return answer;

  PAKE_TRY(const auto client_public_keyshare, suite.decode_public_key(operation.client_public_keyshare));
  std::array<DiffieHellman, 1> dh2 = {{{&private_key_, &client_public_keyshare}}};
  PAKE_TRYV(suite.ake().diffie_hellman(dh2));
  answer.dh2 = std::move(dh2[0].result);
  return answer;
}

}  // namespace pake::opaque
