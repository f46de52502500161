// Private to the room: EAP-EKE's values (RFC 6124, Section 5), and the run that both sides have in common.
#pragma once

#include <array>

#include "pake/base/bytes.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/modular.h"
#include "pake/proto/eap_eke/eap_eke.h"

namespace pake::eap_eke {

using crypto::Digest;

inline constexpr std::size_t kNonceSize = 16;
inline constexpr std::size_t kIvSize = 16;
using Nonce = Secret<kNonceSize>;
using AesKey = Secret<16>;

[[nodiscard]] crypto::HashId hash_of(Hmac hmac) noexcept;
[[nodiscard]] const crypto::ModularGroup& modular(Group group);
[[nodiscard]] crypto::Residue generator(Group group);

//   temp = prf(0+, password);  key = prf+(temp, ID_S | ID_P), 16 octets
[[nodiscard]] Digest compute_temp(Hmac prf, Bytes password);
[[nodiscard]] AesKey compute_key(Hmac prf, const Digest& temp, Bytes ID_S, Bytes ID_P);

/// x, uniform in 2 .. p - 1: group length bytes of `rng`. Errc::unavailable after 128 draws out of range.
[[nodiscard]] Result<SecretBuffer> random_exponent(Group group, Rng& rng);
//   y = g^x mod p
[[nodiscard]] crypto::Residue compute_y(Group group, Bytes x);

//   Encr(key, y) = IV | AES-CBC(key, IV, y)
[[nodiscard]] Buffer encrypt_component(const AesKey& key, Bytes y, Rng& rng);
/// y of the other side. One that is 0, 1, p - 1, or not below p is noted and replaced, so that the work stays the same.
struct Component {
  crypto::Residue y;
  bool is_good;
};
[[nodiscard]] Component decrypt_component(Group group, const AesKey& key, Bytes component);

//   SharedSecret = prf(0+, g^(x_s x_p) mod p)
[[nodiscard]] Digest compute_shared_secret(const Proposal& proposal, Bytes dh_shared);
//   Ke | Ki = prf+(SharedSecret, "EAP-EKE Keys" | ID_S | ID_P)
struct ProtectionKeys {
  AesKey Ke;
  Digest Ki;
};
[[nodiscard]] ProtectionKeys derive_protection_keys(const Proposal& proposal, const Digest& SharedSecret, Bytes ID_S,
                                                    Bytes ID_P);
//   Prot(Ke, Ki, d) = IV | C | HMAC(Ki, C),  C = AES-CBC(Ke, IV, d)
[[nodiscard]] Buffer protect(const Proposal& proposal, const ProtectionKeys& keys, Bytes d, Rng& rng);
/// Errc::auth_failed if the tag is wrong; it is verified first. The size is the caller's to have checked.
[[nodiscard]] Result<SecretBuffer> unprotect(const Proposal& proposal, const ProtectionKeys& keys, Bytes field);
[[nodiscard]] std::size_t protected_size(const Proposal& proposal, std::size_t size);

//   Ka = prf+(SharedSecret, "EAP-EKE Ka" | ID_S | ID_P | Nonce_P | Nonce_S)
[[nodiscard]] Digest derive_Ka(const Proposal& proposal, const Digest& SharedSecret, Bytes ID_S, Bytes ID_P,
                               const Nonce& Nonce_P, const Nonce& Nonce_S);
//   Auth_S, Auth_P = prf(Ka, "EAP-EKE server" / "EAP-EKE peer" | msg1 | msg2 | msg3 | msg4)
[[nodiscard]] Digest compute_auth(const Proposal& proposal, const Digest& Ka, std::string_view label, Bytes messages);
//   MSK | EMSK = prf+(SharedSecret, "EAP-EKE Exported Keys" | ID_S | ID_P | Nonce_P | Nonce_S)
[[nodiscard]] Keys derive_exported_keys(const Proposal& proposal, ExportedKeys order, const Digest& SharedSecret,
                                        Bytes ID_S, Bytes ID_P, const Nonce& Nonce_P, const Nonce& Nonce_S);

/// Whether a configuration will do.
[[nodiscard]] bool is_valid(const Config& config);

/// What both sides collect.
struct Session {
  Config config;
  Proposal proposal = {};
  Buffer ID_S = {}, ID_P = {};
  Buffer messages = {};  // msg1 | msg2 | ...
  Digest SharedSecret = {};
  ProtectionKeys keys = {};
  Nonce Nonce_P = {}, Nonce_S = {};
  bool is_good = true;  // of the other side's y
  Buffer received_channel_binding = {};
  std::uint8_t identifier = 0;  // of the request that is being answered

  void append(Bytes packet) { messages.insert(messages.end(), packet.begin(), packet.end()); }
  void agree(const crypto::Residue& y, Bytes x);
  [[nodiscard]] Digest auth(std::string_view label) const;
  [[nodiscard]] Keys exported_keys() const;
};

/// The run ends with an error and a Failure of this code.
[[nodiscard]] std::unexpected<Failed> end(Errc error, Code code, std::uint8_t identifier, FailureCode failure_code);

}  // namespace pake::eap_eke
