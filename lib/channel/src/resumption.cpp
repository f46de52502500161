#include "resumption.h"

#include <algorithm>
#include <string_view>

#include "key_schedule.h"
#include "pake/internal/try.h"

namespace pake::channel {
namespace {

using crypto::Digest;
using crypto::HashId;

// HMAC(HKDF-Expand(secret, "pake/1 " || label, 64), hash)
Digest prove(Bytes secret, std::string_view label, const Transcript& transcript) {
  const auto key = Digest::make(64, [&](MutableBytes out) { expand_label(secret, label, out); });
  return crypto::hmac(HashId::sha512, key.reveal(), {transcript.hash().reveal()});
}

}  // namespace

//   binder = HMAC(HKDF-Expand(ticket_secret, "pake/1 binder", 64), Hash(first || ClientHello up to its binder))
Digest compute_binder(const ResumptionSecret& ticket_secret, const Transcript& up_to_binder) {
  return prove(ticket_secret.reveal(), "binder", up_to_binder);
}

//   binder = HMAC(HKDF-Expand(ticket_secret, "pake/1 device binder", 64), Hash(first || ClientHello, binder as zeros))
Digest compute_device_binder(const ResumptionSecret& ticket_secret, const Transcript& hello_without_binder) {
  return prove(ticket_secret.reveal(), "device binder", hello_without_binder);
}

Share generate_share(Rng& rng) {
  Share share{.private_key = crypto::X25519Scalar::make([&](MutableBytes out) { rng.fill(out); }), .public_key = {}};
  const auto public_key = crypto::x25519_base(share.private_key);
  std::ranges::copy(public_key.reveal(), share.public_key.begin());
  declassify(share.public_key);
  return share;
}

//   ke = HKDF-Extract(salt = ticket_secret, IKM = X25519(own private key, peer's share))
Result<ResumedKey> ResumedKey::agree(const ResumptionSecret& ticket_secret, const Share& own,
                                     std::span<const std::uint8_t, crypto::kX25519Size> peer) {
  PAKE_TRY(const auto shared, crypto::x25519(own.private_key, peer));
  return ResumedKey(crypto::hkdf_extract(HashId::sha512, ticket_secret.reveal(), {shared.reveal()}));
}

//   server_proof = HMAC(HKDF-Expand(ke, "pake/1 server proof", 64),
//                       Hash(first || ClientHello || ServerHello up to its server_proof))
Digest ResumedKey::server_proof(const Transcript& up_to_proof) const {
  return prove(ke_.reveal(), "server proof", up_to_proof);
}

//   client_proof = HMAC(HKDF-Expand(ke, "pake/1 client proof", 64), Hash(first || ClientHello || ServerHello))
Digest ResumedKey::client_proof(const Transcript& both_hellos) const {
  return prove(ke_.reveal(), "client proof", both_hellos);
}

//   PAKE key = HKDF-Expand(ke, "pake/1 resumed", 64)
SessionKey ResumedKey::pake_key() const {
  return SessionKey::make(64, [&](MutableBytes out) { expand_label(ke_.reveal(), "resumed", out); });
}

}  // namespace pake::channel
