// The messages of RFC 9807, Sections 5.1 and 6.1. All fields have fixed sizes, so a message is exactly as long as
// `Sizes` says for its suite; every other length, and every element that is not a valid one, is Errc::malformed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/x25519.h"
#include "pake/proto/opaque/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

using Nonce = std::array<std::uint8_t, kNn>;

/// An element of the OPRF's group: on the curve, in its one encoding, not the identity.
using OprfElement = crypto::Element;
/// A public key of the AKE, decoded: an element as above, or for X25519 a u-coordinate that is not of low order.
class PublicKey {
 public:
  PublicKey() = default;
  explicit PublicKey(crypto::Element element) noexcept : key_(std::move(element)) {}
  explicit PublicKey(crypto::X25519Point u) noexcept : key_(std::move(u)) {}

  [[nodiscard]] PublicKey copy() const;
  /// Null for a key of the other kind.
  [[nodiscard]] const crypto::Element* element() const noexcept { return std::get_if<crypto::Element>(&key_); }
  [[nodiscard]] const crypto::X25519Point* u() const noexcept { return std::get_if<crypto::X25519Point>(&key_); }

 private:
  std::variant<crypto::Element, crypto::X25519Point> key_;
};

/// Client to server: Noe bytes.
struct RegistrationRequest {
  OprfElement blinded_message;

  [[nodiscard]] Buffer encode(SuiteId suite) const;
  [[nodiscard]] static Result<RegistrationRequest> decode(SuiteId suite, Bytes bytes);
};

/// Server to client: Noe + Npk bytes.
struct RegistrationResponse {
  OprfElement evaluated_message;
  PublicKey server_public_key;

  [[nodiscard]] Buffer encode(SuiteId suite) const;
  [[nodiscard]] static Result<RegistrationResponse> decode(SuiteId suite, Bytes bytes);
};

/// Client to server, over a confidential and authenticated connection, and kept by the server: Npk + Nh + (Nn + Nm)
/// bytes. Whoever has it and oprf_seed can guess the password offline.
struct RegistrationRecord {
  PublicKey client_public_key;
  crypto::Digest masking_key;
  Buffer envelope;  // envelope_nonce || auth_tag: only the client understands it

  [[nodiscard]] Buffer encode(SuiteId suite) const;
  [[nodiscard]] static Result<RegistrationRecord> decode(SuiteId suite, Bytes bytes);
  /// Each as `decode` does, in less time: their keys are decoded side by side.
  [[nodiscard]] static std::vector<Result<RegistrationRecord>> decode_all(SuiteId suite, std::span<const Bytes> batch);
};

/// Client to server: Noe + Nn + Npk bytes.
struct KE1 {
  OprfElement blinded_message;
  Nonce client_nonce;
  PublicKey client_public_keyshare;

  [[nodiscard]] Buffer encode(SuiteId suite) const;
  [[nodiscard]] static Result<KE1> decode(SuiteId suite, Bytes bytes);
  /// Each as `decode` does, in less time.
  [[nodiscard]] static std::vector<Result<KE1>> decode_all(SuiteId suite, std::span<const Bytes> batch);
};

/// The first three fields of KE2: Noe + Nn + (Npk + Nn + Nm) bytes.
struct CredentialResponse {
  OprfElement evaluated_message;
  Nonce masking_nonce;
  Buffer masked_response;  // pad xor (server_public_key || envelope)

  [[nodiscard]] Buffer encode(SuiteId suite) const;
  [[nodiscard]] static Result<CredentialResponse> decode(SuiteId suite, Bytes bytes);
};

/// Server to client: the credential response, Nn + Npk + Nm bytes.
struct KE2 {
  CredentialResponse credential_response;
  Nonce server_nonce;
  PublicKey server_public_keyshare;
  Buffer server_mac;

  [[nodiscard]] Buffer encode(SuiteId suite) const;
  [[nodiscard]] static Result<KE2> decode(SuiteId suite, Bytes bytes);
};

/// Client to server: Nm bytes.
struct KE3 {
  Buffer client_mac;

  [[nodiscard]] Buffer encode(SuiteId suite) const;
  [[nodiscard]] static Result<KE3> decode(SuiteId suite, Bytes bytes);
};

}  // namespace pake::opaque

PAKE_EXPORT_END
