#include "key_schedule.h"

#include "pake/crypto/aes.h"

namespace pake::spake2plus {

SecretBuffer Transcript::TT() const {
  const auto group = parameters(suite).group;
  return spake::with_lengths(
      {Context, idProver, idVerifier, spake::M(group).encoded, spake::N(group).encoded, shareP, shareV, Z, V, w0});
}

// RFC 9383, Section 3.4.
//   K_main                   = Hash(TT)
//   K_confirmP || K_confirmV = KDF(nil, K_main, "ConfirmationKeys")
//   K_shared                 = KDF(nil, K_main, "SharedKey")
// draft-bar-cfrg-spake2plus-02, Section 3.3:
//   Ka || Ke   = Hash(TT)
//   KcA || KcB = KDF(nil, Ka, "ConfirmationKeys")
Keys derive_keys(Suite suite, Bytes TT) {
  const auto& of = parameters(suite);
  const bool is_draft02 = of.schedule == KeySchedule::draft02;
  const auto hash_TT = crypto::hash(of.hash, {TT});
  auto K_main = Key::copy_of(is_draft02 ? hash_TT.reveal().first(hash_TT.size() / 2) : hash_TT.reveal());

  const crypto::Hmac prk(of.hash, crypto::hkdf_extract(of.hash, {}, {K_main.reveal()}).reveal());
  const auto confirmation = SecretUpTo<2 * crypto::kMaxHashSize>::make(
      2 * of.confirmation_key_size,
      [&](MutableBytes out) { crypto::hkdf_expand(prk, {as_bytes("ConfirmationKeys")}, out); });
  auto K_shared = is_draft02 ? SharedKey::copy_of(hash_TT.reveal().last(of.shared_key_size))
                             : SharedKey::make(of.shared_key_size, [&](MutableBytes out) {
                                 crypto::hkdf_expand(prk, {as_bytes("SharedKey")}, out);
                               });
  return {.K_main = std::move(K_main),
          .K_confirmP = Key::copy_of(confirmation.reveal().first(of.confirmation_key_size)),
          .K_confirmV = Key::copy_of(confirmation.reveal().last(of.confirmation_key_size)),
          .K_shared = std::move(K_shared)};
}

Key compute_tag(Suite suite, const Key& K_confirm, Bytes share) {
  const auto& of = parameters(suite);
  if (of.mac == Mac::hmac) return Key::copy_of(crypto::hmac(of.hash, K_confirm.reveal(), {share}).reveal());
  return Key::copy_of(crypto::aes128_cmac(K_confirm.reveal().first<16>(), {share}).reveal());
}

//   confirmV = MAC(K_confirmV, shareP)
//   confirmP = MAC(K_confirmP, shareV)
Agreement Agreement::reach(const Transcript& transcript) {
  const auto& suite = transcript.suite;
  auto keys = derive_keys(suite, transcript.TT().reveal());
  return {.K_shared = std::move(keys.K_shared),
          .confirmP = compute_tag(suite, keys.K_confirmP, transcript.shareV),
          .confirmV = compute_tag(suite, keys.K_confirmV, transcript.shareP)};
}

Buffer tag_to_send(const Key& tag) {
  auto sent = to_buffer(tag.reveal());
  declassify(sent);
  return sent;
}

Status verify_tag(const Key& tag, Bytes received) {
  if (received.size() != tag.size()) return fail(Errc::malformed);
  if (!ct_equal(received, tag.reveal())) return fail(Errc::auth_failed);
  return {};
}

}  // namespace pake::spake2plus
