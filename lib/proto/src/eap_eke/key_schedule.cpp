#include "key_schedule.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "octets.h"
#include "pake/crypto/aes.h"
#include "pake/internal/try.h"

namespace pake::eap_eke {
namespace {

struct GroupParameters {
  crypto::Prime prime;
  std::uint8_t generator;
};
// RFC 6124, Section 7.1. The generators are primitive: 2, IKE's, is a square of these primes and would leak a bit.
constexpr std::array<GroupParameters, 5> kGroups = {{{crypto::Prime::ike_1024, 5},
                                                     {crypto::Prime::ike_1536, 31},
                                                     {crypto::Prime::ike_2048, 11},
                                                     {crypto::Prime::ike_3072, 5},
                                                     {crypto::Prime::ike_4096, 5}}};
const GroupParameters& of(Group group) noexcept { return kGroups.at(std::to_underlying(group) - 1U); }

std::span<const std::uint8_t, 16> first16(Bytes bytes) { return bytes.first<16>(); }

/// IV | AES-CBC(key, IV, text), of whole blocks.
Buffer encrypt(const AesKey& key, Bytes text, Rng& rng) {
  Buffer out(kIvSize + text.size());
  rng.fill(MutableBytes(out).first(kIvSize));
  std::ranges::copy(text, out.begin() + kIvSize);
  crypto::aes128_cbc_encrypt_unpadded(key.reveal(), first16(out), MutableBytes(out).subspan(kIvSize));
  declassify(out);
  return out;
}
SecretBuffer decrypt(const AesKey& key, Bytes field) {
  return SecretBuffer::make(field.size() - kIvSize, [&](MutableBytes out) {
    std::ranges::copy(field.subspan(kIvSize), out.begin());
    crypto::aes128_cbc_decrypt_unpadded(key.reveal(), first16(field), out);
  });
}

}  // namespace

crypto::HashId hash_of(Hmac hmac) noexcept {
  return hmac == Hmac::sha1 ? crypto::HashId::sha1 : crypto::HashId::sha256;
}
const crypto::ModularGroup& modular(Group group) { return crypto::modular_group(of(group).prime); }
crypto::Residue generator(Group group) {
  const std::array<std::uint8_t, 1> g = {of(group).generator};
  return modular(group).reduce(g);
}

Digest compute_temp(Hmac prf, Bytes password) { return crypto::hkdf_extract(hash_of(prf), {}, {password}); }

AesKey compute_key(Hmac prf, const Digest& temp, Bytes ID_S, Bytes ID_P) {
  return AesKey::make([&](MutableBytes out) { crypto::hkdf_expand(hash_of(prf), temp.reveal(), {ID_S, ID_P}, out); });
}

Result<SecretBuffer> random_exponent(Group group, Rng& rng) {
  const auto& p = modular(group);
  for (int draw = 0; draw < 128; ++draw) {
    auto x = SecretBuffer::make(p.size(), [&](MutableBytes out) { rng.fill(out); });
    const auto above_one = !ct_is_zero(x.reveal().first(x.size() - 1)) || declassify_value(x.reveal().back()) > 1;
    if (above_one && p.decode(x.reveal())) return x;
  }
  return fail(Errc::unavailable);
}

crypto::Residue compute_y(Group group, Bytes x) { return modular(group).power(generator(group), x); }

Buffer encrypt_component(const AesKey& key, Bytes y, Rng& rng) { return encrypt(key, y, rng); }

Component decrypt_component(Group group, const AesKey& key, Bytes component) {
  const auto& p = modular(group);
  const auto y = decrypt(key, component);
  const std::array<std::uint8_t, 1> one_octet = {1};
  const auto one = p.reduce(one_octet);
  auto reduced = p.reduce(y.reveal());
  // 0, 1 and p - 1 are those with y * y = y or y * y = 1.
  const auto square = p.multiply(reduced, reduced);
  const bool is_bad = static_cast<unsigned>(ct_equal(square.reveal(), reduced.reveal())) |
                      static_cast<unsigned>(ct_equal(square.reveal(), one.reveal())) |
                      static_cast<unsigned>(!ct_equal(reduced.reveal(), y.reveal()));
  return {.y = std::move(reduced), .is_good = !is_bad};
}

Digest compute_shared_secret(const Proposal& proposal, Bytes dh_shared) {
  return crypto::hkdf_extract(hash_of(proposal.prf), {}, {dh_shared});
}

ProtectionKeys derive_protection_keys(const Proposal& proposal, const Digest& SharedSecret, Bytes ID_S, Bytes ID_P) {
  const auto mac_size = crypto::output_size(hash_of(proposal.mac));
  const auto both = SecretBuffer::make(16 + mac_size, [&](MutableBytes out) {
    crypto::hkdf_expand(hash_of(proposal.prf), SharedSecret.reveal(), {as_bytes("EAP-EKE Keys"), ID_S, ID_P}, out);
  });
  return {.Ke = AesKey::copy_of(first16(both.reveal())), .Ki = Digest::copy_of(both.reveal().last(mac_size))};
}

Buffer protect(const Proposal& proposal, const ProtectionKeys& keys, Bytes d, Rng& rng) {
  auto field = encrypt(keys.Ke, d, rng);
  const auto tag = crypto::hmac(hash_of(proposal.mac), keys.Ki.reveal(), {Bytes(field).subspan(kIvSize)});
  field.insert(field.end(), tag.reveal().begin(), tag.reveal().end());
  declassify(field);
  return field;
}

Result<SecretBuffer> unprotect(const Proposal& proposal, const ProtectionKeys& keys, Bytes field) {
  const auto tag_size = crypto::output_size(hash_of(proposal.mac));
  const auto encrypted = field.first(field.size() - tag_size);
  const auto tag = crypto::hmac(hash_of(proposal.mac), keys.Ki.reveal(), {encrypted.subspan(kIvSize)});
  if (!ct_equal(tag.reveal(), field.last(tag_size))) return fail(Errc::auth_failed);
  return decrypt(keys.Ke, encrypted);
}

std::size_t protected_size(const Proposal& proposal, std::size_t size) {
  return kIvSize + size + crypto::output_size(hash_of(proposal.mac));
}

Digest derive_Ka(const Proposal& proposal, const Digest& SharedSecret, Bytes ID_S, Bytes ID_P, const Nonce& Nonce_P,
                 const Nonce& Nonce_S) {
  const auto prf = hash_of(proposal.prf);
  return Digest::make(crypto::output_size(prf), [&](MutableBytes out) {
    crypto::hkdf_expand(prf, SharedSecret.reveal(),
                        {as_bytes("EAP-EKE Ka"), ID_S, ID_P, Nonce_P.reveal(), Nonce_S.reveal()}, out);
  });
}

Digest compute_auth(const Proposal& proposal, const Digest& Ka, std::string_view label, Bytes messages) {
  return crypto::hmac(hash_of(proposal.prf), Ka.reveal(), {as_bytes(label), messages});
}

Keys derive_exported_keys(const Proposal& proposal, ExportedKeys order, const Digest& SharedSecret, Bytes ID_S,
                          Bytes ID_P, const Nonce& Nonce_P, const Nonce& Nonce_S) {
  const bool is_rfc = order == ExportedKeys::rfc6124;
  const auto both = Secret<128>::make([&](MutableBytes out) {
    crypto::hkdf_expand(hash_of(proposal.prf), SharedSecret.reveal(),
                        {as_bytes("EAP-EKE Exported Keys"), ID_S, ID_P, (is_rfc ? Nonce_P : Nonce_S).reveal(),
                         (is_rfc ? Nonce_S : Nonce_P).reveal()},
                        out);
  });
  return {.MSK = Secret<64, MskTag>::copy_of(both.reveal().first<64>()),
          .EMSK = Secret<64, EmskTag>::copy_of(both.reveal().last<64>()),
          .received_channel_binding = {}};
}

bool is_valid(const Config& config) {
  const auto is_known = [](const Proposal& proposal) {
    return std::to_underlying(proposal.group) - 1U < kGroups.size() && std::to_underlying(proposal.prf) - 1U < 2 &&
           std::to_underlying(proposal.mac) - 1U < 2;
  };
  return !config.proposals.empty() && config.proposals.size() <= 60 &&
         std::ranges::all_of(config.proposals, is_known) && std::to_underlying(config.identity.type) - 1U < 6 &&
         config.identity.value.size() <= kMaxIdentitySize && config.channel_binding.size() <= 800 &&
         check_channel_binding(config.channel_binding).has_value();
}

void Session::agree(const crypto::Residue& y, Bytes x) {
  const auto dh_shared = modular(proposal.group).power(y, x);
  SharedSecret = compute_shared_secret(proposal, dh_shared.reveal());
  keys = derive_protection_keys(proposal, SharedSecret, ID_S, ID_P);
}

Digest Session::auth(std::string_view label) const {
  return compute_auth(proposal, derive_Ka(proposal, SharedSecret, ID_S, ID_P, Nonce_P, Nonce_S), label, messages);
}

Keys Session::exported_keys() const {
  auto exported = derive_exported_keys(proposal, config.exported_keys, SharedSecret, ID_S, ID_P, Nonce_P, Nonce_S);
  exported.received_channel_binding = received_channel_binding;
  return exported;
}

std::unexpected<Failed> end(Errc error, Code code, std::uint8_t identifier, FailureCode failure_code) {
  return std::unexpected(
      Failed{.error = error,
             .packet = encode_failure({.code = code, .identifier = identifier, .failure_code = failure_code})});
}

}  // namespace pake::eap_eke
