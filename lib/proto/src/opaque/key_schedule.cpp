#include "opaque/key_schedule.h"

#include <algorithm>

#include "octets.h"
#include "pake/internal/try.h"
#include "pake/proto/oprf/oprf.h"

namespace pake::opaque {

Status check_size(Bytes input) {
  if (input.size() > kMaxInputSize) return fail(Errc::misuse);
  return {};
}

Status check_given(Bytes input) {
  if (input.empty()) return fail(Errc::misuse);
  return check_size(input);
}

Status check_sizes(const Identities& identities) {
  PAKE_TRYV(check_size(identities.client));
  return check_size(identities.server);
}

// RFC 9807, Section 5.2.2 (and 6.3.2.2): the seed of a credential's OPRF key has Nok bytes, not Nseed.
//   seed = Expand(oprf_seed, concat(credential_identifier, "OprfKey"), Nok)
crypto::Scalar oprf_key_seed(const Suite& suite, const Digest& oprf_seed, Bytes credential_identifier) {
  return suite.expand<crypto::Scalar>(oprf_seed.reveal(), {credential_identifier, as_bytes("OprfKey")},
                                      suite.sizes().Nok);
}

//   (oprf_key, _) = DeriveKeyPair(seed, "OPAQUE-DeriveKeyPair")
Result<crypto::Scalar> derive_oprf_key(const Suite& suite, const Digest& oprf_seed, Bytes credential_identifier) {
  const auto seed = oprf_key_seed(suite, oprf_seed, credential_identifier);
  return oprf::derive_private_key(suite.oprf(), seed.reveal(), as_bytes("OPAQUE-DeriveKeyPair"));
}

// RFC 9807, Sections 5.2.3 and 6.3.2.3.
//   randomized_password = Extract("", concat(oprf_output, stretched_oprf_output))
Digest randomized_password(const Suite& suite, const Digest& oprf_output, const Digest& stretched) {
  return suite.extract({oprf_output.reveal(), stretched.reveal()});
}

// RFC 9807, Section 4.1.2: the one key of the envelope without the nonce.
//   masking_key = Expand(randomized_password, "MaskingKey", Nh)
Digest masking_key(const Suite& suite, const Digest& randomized_password) {
  return suite.expand(randomized_password.reveal(), {as_bytes("MaskingKey")}, suite.sizes().Nh);
}

// RFC 9807, Section 4.1.2.
//   auth_key   = Expand(randomized_password, concat(envelope_nonce, "AuthKey"), Nh)
//   export_key = Expand(randomized_password, concat(envelope_nonce, "ExportKey"), Nh)
//   seed       = Expand(randomized_password, concat(envelope_nonce, "PrivateKey"), Nseed)
EnvelopeKeys envelope_keys(const Suite& suite, const Digest& randomized_password, Bytes envelope_nonce) {
  const auto prk = suite.keyed(randomized_password);
  const auto Nh = suite.sizes().Nh;
  return {.auth_key = Suite::expand(prk, {envelope_nonce, as_bytes("AuthKey")}, Nh),
          .export_key = Suite::expand<ExportKey>(prk, {envelope_nonce, as_bytes("ExportKey")}, Nh),
          .private_key_seed = Seed::make(
              [&](MutableBytes out) { crypto::hkdf_expand(prk, {envelope_nonce, as_bytes("PrivateKey")}, out); })};
}

// RFC 9807, Section 4, CreateCleartextCredentials: the server's identity comes first (in the preamble the client's).
//   server_public_key || I2OSP(len(server_identity), 2) || server_identity
//                     || I2OSP(len(client_identity), 2) || client_identity
SecretBuffer cleartext_credentials(Bytes server_public_key, Bytes client_public_key, const Identities& identities) {
  const auto server_identity = identity_or_key(identities.server, server_public_key);
  const auto client_identity = identity_or_key(identities.client, client_public_key);
  return concat({server_public_key, i2osp_2(server_identity.size()), server_identity, i2osp_2(client_identity.size()),
                 client_identity});
}

// RFC 9807, Section 6.3.2.2.
//   credential_response_pad = Expand(masking_key, concat(masking_nonce, "CredentialResponsePad"), Npk + Nn + Nm)
CredentialResponsePad credential_response_pad(const Suite& suite, const Digest& masking_key, Bytes masking_nonce) {
  return suite.expand<CredentialResponsePad>(masking_key.reveal(), {masking_nonce, as_bytes("CredentialResponsePad")},
                                             suite.sizes().masked_response());
}

CredentialResponsePad mask(const CredentialResponsePad& pad, Bytes bytes) {
  return CredentialResponsePad::make(pad.size(), [&](MutableBytes out) {
    std::ranges::transform(pad.reveal(), bytes, out.begin(),
                           [](std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a ^ b); });
  });
}

// RFC 9807, Section 6.4.2.1, Preamble.
//   "OPAQUEv1-" || I2OSP(len(context), 2) || context || I2OSP(len(client_identity), 2) || client_identity || KE1
//     || I2OSP(len(server_identity), 2) || server_identity || credential_response || server_nonce
//     || server_public_keyshare
SecretBuffer preamble(const Suite& suite, const PreambleInputs& inputs) {
  return concat({as_bytes("OPAQUEv1-"), i2osp_2(inputs.context.size()), inputs.context,
                 i2osp_2(inputs.client_identity.size()), inputs.client_identity, inputs.ke1,
                 i2osp_2(inputs.server_identity.size()), inputs.server_identity,
                 inputs.credential_response.encode(suite.id()), inputs.server_nonce,
                 suite.encode_public_key(inputs.server_public_keyshare).reveal()});
}

// RFC 9807, Section 6.4.2.1, Expand-Label and Derive-Secret: only L has two bytes of length.
//   Expand-Label(Secret, Label, Context, Length) = Expand(Secret, CustomLabel, Length)
//   CustomLabel = I2OSP(Length, 2) || I2OSP(len("OPAQUE-" || Label), 1) || "OPAQUE-" || Label
//                                  || I2OSP(len(Context), 1) || Context
//   Derive-Secret(Secret, Label, Transcript-Hash) = Expand-Label(Secret, Label, Transcript-Hash, Nx)
template <class Secret>
Secret derive_secret(const Suite& suite, const crypto::Hmac& secret, std::string_view label, Bytes transcript_hash) {
  constexpr std::string_view kPrefix = "OPAQUE-";
  const auto Nx = suite.sizes().Nh;
  return Suite::expand<Secret>(secret,
                               {i2osp_2(Nx), i2osp_1(kPrefix.size() + label.size()), as_bytes(kPrefix), as_bytes(label),
                                i2osp_1(transcript_hash.size()), transcript_hash},
                               Nx);
}
template Digest derive_secret<Digest>(const Suite&, const crypto::Hmac&, std::string_view, Bytes);

Result<SharedSecrets> shared_secrets(const Suite& suite, std::array<DiffieHellman, 3> batch) {
  PAKE_TRYV(suite.ake().diffie_hellman(batch));
  return SharedSecrets{
      .dh1 = std::move(batch[0].result), .dh2 = std::move(batch[1].result), .dh3 = std::move(batch[2].result)};
}

// RFC 9807, Section 6.4.2.2, DeriveKeys.
//   prk              = Extract("", dh1 || dh2 || dh3)
//   handshake_secret = Derive-Secret(prk, "HandshakeSecret", Hash(preamble))
//   session_key      = Derive-Secret(prk, "SessionKey", Hash(preamble))
//   Km2, Km3         = Derive-Secret(handshake_secret, "ServerMAC" / "ClientMAC", "")
AkeKeys derive_keys(const Suite& suite, const SharedSecrets& ikm, const Digest& preamble_hash) {
  const auto prk = suite.keyed(suite.extract({ikm.dh1.reveal(), ikm.dh2.reveal(), ikm.dh3.reveal()}));
  const auto transcript = preamble_hash.reveal();
  const auto handshake_secret = suite.keyed(derive_secret<Digest>(suite, prk, "HandshakeSecret", transcript));
  return {.Km2 = derive_secret<Digest>(suite, handshake_secret, "ServerMAC", {}),
          .Km3 = derive_secret<Digest>(suite, handshake_secret, "ClientMAC", {}),
          .session_key = derive_secret<SessionKey>(suite, prk, "SessionKey", transcript)};
}

// RFC 9807, Sections 6.4.3 and 6.4.4.
//   server_mac = MAC(Km2, Hash(preamble))
//   client_mac = MAC(Km3, Hash(preamble || server_mac))
Proofs prove(const Suite& suite, const SharedSecrets& ikm, Bytes preamble) {
  crypto::Hash transcript(suite.hash_id());
  transcript.update(preamble);
  const auto preamble_hash = crypto::Hash(transcript).finish();
  auto keys = derive_keys(suite, ikm, preamble_hash);
  auto server_mac = suite.mac(keys.Km2, {preamble_hash.reveal()});
  auto client_mac = suite.mac(keys.Km3, {transcript.update(server_mac.reveal()).finish().reveal()});
  return {.server_mac = std::move(server_mac),
          .client_mac = std::move(client_mac),
          .session_key = std::move(keys.session_key)};
}

}  // namespace pake::opaque
