#include "key_schedule.h"

#include "pake/crypto/aes.h"

namespace pake::spake2 {

SecretBuffer Transcript::TT() const { return spake::with_lengths({A, B, pA, pB, K, w}); }

// RFC 9382, Section 4.
//   Ke || Ka   = Hash(TT)
//   KcA || KcB = KDF(Ka, nil, "ConfirmationKeys" || AAD, L)
Keys derive_keys(Suite suite, Bytes TT, Bytes AAD) {
  const auto& of = parameters(suite);
  const auto hash_TT = crypto::hash(of.hash, {TT});
  auto Ka = Key::copy_of(hash_TT.reveal().last(of.key_size));
  const auto prk = crypto::hkdf_extract(of.hash, {}, {Ka.reveal()});
  const auto Kc = SecretUpTo<crypto::kMaxHashSize>::make(2 * of.key_size, [&](MutableBytes out) {
    crypto::hkdf_expand(of.hash, prk.reveal(), {as_bytes("ConfirmationKeys"), AAD}, out);
  });
  return {.Ke = SharedKey::copy_of(hash_TT.reveal().first(of.key_size)),
          .Ka = std::move(Ka),
          .KcA = Key::copy_of(Kc.reveal().first(of.key_size)),
          .KcB = Key::copy_of(Kc.reveal().last(of.key_size))};
}

Key compute_tag(Suite suite, const Key& Kc, Bytes TT) {
  const auto& of = parameters(suite);
  if (of.mac == Mac::hmac) return Key::copy_of(crypto::hmac(of.hash, Kc.reveal(), {TT}).reveal());
  return Key::copy_of(crypto::aes128_cmac(Kc.reveal().first<16>(), {TT}).reveal());
}

}  // namespace pake::spake2
