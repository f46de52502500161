#include "opaque/envelope.h"

#include "opaque/key_schedule.h"
#include "pake/base/ct.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::opaque {
namespace {

// The part that both directions share.
//   (client_private_key, client_public_key) = DeriveDiffieHellmanKeyPair(seed)
//   auth_tag = MAC(auth_key, concat(envelope_nonce, cleartext_credentials))
struct Opened {
  KeyPair client;
  Digest auth_tag;
  ExportKey export_key;
};

Result<Opened> open(const Suite& suite, const Digest& randomized_password, Bytes server_public_key,
                    Bytes envelope_nonce, const Identities& identities) {
  auto keys = envelope_keys(suite, randomized_password, envelope_nonce);
  PAKE_TRY(auto client, suite.derive_diffie_hellman_key_pair(keys.private_key_seed));
  const auto credentials =
      cleartext_credentials(server_public_key, suite.encode_public_key(client.public_key).reveal(), identities);
  return Opened{.client = std::move(client),
                .auth_tag = suite.mac(keys.auth_key, {envelope_nonce, credentials.reveal()}),
                .export_key = std::move(keys.export_key)};
}

}  // namespace

Result<Stored> store(const Suite& suite, const Digest& randomized_password, Bytes server_public_key,
                     const Identities& identities, Rng& rng) {
  const auto envelope_nonce = random_nonce(rng);
  PAKE_TRY(auto opened, open(suite, randomized_password, server_public_key, envelope_nonce, identities));
  declassify(opened.auth_tag.reveal());
  return Stored{.client_public_key = std::move(opened.client.public_key),
                .masking_key = masking_key(suite, randomized_password),
                .envelope = Writer(suite.sizes().envelope()).put(envelope_nonce).put(opened.auth_tag.reveal()).take(),
                .export_key = std::move(opened.export_key)};
}

Result<Recovered> recover(const Suite& suite, const Digest& randomized_password, Bytes server_public_key,
                          Bytes envelope, const Identities& identities) {
  const auto envelope_nonce = envelope.first(kNn);
  PAKE_TRY(auto opened, open(suite, randomized_password, server_public_key, envelope_nonce, identities));
  if (!ct_equal(opened.auth_tag.reveal(), envelope.subspan(kNn))) return fail(Errc::auth_failed);
  return Recovered{.client = std::move(opened.client), .export_key = std::move(opened.export_key)};
}

}  // namespace pake::opaque
