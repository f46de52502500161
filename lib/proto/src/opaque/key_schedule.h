// Private to the room: every key and octet string that RFC 9807 derives, one function each.
#pragma once

#include <array>
#include <string_view>

#include "opaque/suite.h"
#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"
#include "pake/proto/machine.h"
#include "pake/proto/opaque/identities.h"
#include "pake/proto/opaque/messages.h"

namespace pake::opaque {

/// Errc::misuse if `input` does not fit behind its length of two bytes.
[[nodiscard]] Status check_size(Bytes input);
/// The same, and Errc::misuse if it is empty.
[[nodiscard]] Status check_given(Bytes input);
[[nodiscard]] Status check_sizes(const Identities& identities);

/// Identities that outlive the call which gave them.
struct OwnedIdentities {
  Buffer client;
  Buffer server;

  explicit OwnedIdentities(const Identities& given)
      : client(to_buffer(given.client)), server(to_buffer(given.server)) {}
  [[nodiscard]] Identities view() const noexcept { return {.client = client, .server = server}; }
};

/// Identities as they enter hashes: if one was not given, the public key stands for it.
[[nodiscard]] inline Bytes identity_or_key(Bytes identity, Bytes public_key) noexcept {
  return identity.empty() ? public_key : identity;
}

// --- The OPRF's key and the password.

[[nodiscard]] crypto::Scalar oprf_key_seed(const Suite& suite, const Digest& oprf_seed, Bytes credential_identifier);
[[nodiscard]] Result<crypto::Scalar> derive_oprf_key(const Suite& suite, const Digest& oprf_seed,
                                                     Bytes credential_identifier);
[[nodiscard]] Digest randomized_password(const Suite& suite, const Digest& oprf_output, const Digest& stretched);

// --- The envelope.

[[nodiscard]] Digest masking_key(const Suite& suite, const Digest& randomized_password);
struct EnvelopeKeys {
  Digest auth_key;
  ExportKey export_key;
  Seed private_key_seed;
};
[[nodiscard]] EnvelopeKeys envelope_keys(const Suite& suite, const Digest& randomized_password, Bytes envelope_nonce);
/// @param identities  as given: if one is empty the public key beside it stands for it
[[nodiscard]] SecretBuffer cleartext_credentials(Bytes server_public_key, Bytes client_public_key,
                                                 const Identities& identities);
using CredentialResponsePad = SecretUpTo<kMaxMaskedResponseSize>;
[[nodiscard]] CredentialResponsePad credential_response_pad(const Suite& suite, const Digest& masking_key,
                                                            Bytes masking_nonce);
/// xor(pad, bytes): masks and unmasks.
[[nodiscard]] CredentialResponsePad mask(const CredentialResponsePad& pad, Bytes bytes);

// --- The session.

struct PreambleInputs {
  Bytes context;
  Bytes client_identity;
  Bytes ke1;
  Bytes server_identity;
  const CredentialResponse& credential_response;
  const Nonce& server_nonce;
  const PublicKey& server_public_keyshare;
};
[[nodiscard]] SecretBuffer preamble(const Suite& suite, const PreambleInputs& inputs);

template <class Secret>
[[nodiscard]] Secret derive_secret(const Suite& suite, const crypto::Hmac& secret, std::string_view label,
                                   Bytes transcript_hash);

struct SharedSecrets {
  EncodedElement dh1;
  EncodedElement dh2;
  EncodedElement dh3;
};
/// Three Diffie-Hellman results of one batch, in the order dh1, dh2, dh3.
[[nodiscard]] Result<SharedSecrets> shared_secrets(const Suite& suite, std::array<DiffieHellman, 3> batch);

struct AkeKeys {
  Digest Km2;
  Digest Km3;
  SessionKey session_key;
};
[[nodiscard]] AkeKeys derive_keys(const Suite& suite, const SharedSecrets& ikm, const Digest& preamble_hash);

/// What both sides compute at the end, each to send one MAC and to check the other.
struct Proofs {
  Digest server_mac;
  Digest client_mac;
  SessionKey session_key;
};
[[nodiscard]] Proofs prove(const Suite& suite, const SharedSecrets& ikm, Bytes preamble);

}  // namespace pake::opaque
