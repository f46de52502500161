#include "wormhole.h"

#include <algorithm>
#include <array>
#include <bit>

#include "octets.h"
#include "pake/crypto/hash.h"
#include "pake/internal/try.h"

namespace pake::spake2::wormhole {
namespace {

using crypto::Element;
using crypto::Group;
using crypto::HashId;
using crypto::Scalar;

constexpr auto kGroup = crypto::GroupId::edwards25519;
constexpr std::size_t kElementSize = 32;

const Group& group() { return Group::get(kGroup); }

using Encoding = std::array<std::uint8_t, kElementSize>;
constexpr Encoding kM = {0x15, 0xcf, 0xd1, 0x8e, 0x38, 0x59, 0x52, 0x98, 0x2b, 0x6a, 0x8f,
                         0x8c, 0x78, 0x54, 0x96, 0x3b, 0x58, 0xe3, 0x43, 0x88, 0xc8, 0xe6,
                         0xda, 0xe8, 0x91, 0xdb, 0x75, 0x64, 0x81, 0xa0, 0x23, 0x12};
constexpr Encoding kN = {0xf0, 0x4f, 0x2e, 0x7e, 0xb7, 0x34, 0xb2, 0xa8, 0xf8, 0xb4, 0x72,
                         0xea, 0xf9, 0xc3, 0xc6, 0x32, 0x57, 0x6a, 0xc6, 0x4a, 0xea, 0x65,
                         0x0b, 0x49, 0x6a, 0x8a, 0x20, 0xff, 0x00, 0xe5, 0x83, 0xc3};
constexpr Encoding kS = {0x6f, 0x00, 0xda, 0xe8, 0x7c, 0x1b, 0xe1, 0xa7, 0x3b, 0x59, 0x22,
                         0xef, 0x43, 0x1c, 0xd8, 0xf5, 0x78, 0x79, 0x56, 0x9c, 0x22, 0x2d,
                         0x22, 0xb1, 0xcd, 0x71, 0xe8, 0x54, 0x6a, 0xb8, 0xe6, 0xf1};

Element constant(const Encoding& encoding) {
  auto point = group().decode(encoding);
  if (!point) std::abort();  // a constant of this file
  return *std::move(point);
}

Side other(Side side) noexcept { return side == Side::A ? Side::B : side == Side::B ? Side::A : Side::symmetric; }

Secret<32> hkdf(const Key& key, std::initializer_list<Bytes> info) {
  const auto prk = crypto::hkdf_extract(HashId::sha256, {}, {key.reveal()});
  return Secret<32>::make(
      [&](std::span<std::uint8_t, 32> out) { crypto::hkdf_expand(HashId::sha256, prk.reveal(), info, out); });
}

}  // namespace

Result<Scalar> password_to_scalar(Bytes password) {
  const auto prk = crypto::hkdf_extract(HashId::sha256, {}, {password});
  const auto wide = Secret<48>::make(
      [&](MutableBytes out) { crypto::hkdf_expand(HashId::sha256, prk.reveal(), {as_bytes("SPAKE2 pw")}, out); });
  auto w = group().reduce_scalar(wide.reveal(), std::endian::big);
  if (Group::is_zero(w)) return fail(Errc::malformed);
  return w;
}

const Element& blinding_point(Side side) {
  static const Element M = constant(kM), N = constant(kN), S = constant(kS);
  return side == Side::A ? M : side == Side::B ? N : S;
}

SecretBuffer Transcript::encode() const {
  const bool own_first = side == Side::symmetric ? std::ranges::lexicographical_compare(own, peer) : side == Side::A;
  return concat({password_hash, identities_hash, own_first ? own : peer, own_first ? peer : own, K});
}

struct AwaitingMessage::State {
  Side side;
  Secret<32> password_hash;
  Buffer identities_hash;
  Scalar w, x;
  Buffer own;  // the element alone
  GuessPermit permit;
};

//   X = x*B + w*M,  Y = y*B + w*N,  or x*B + w*S
Result<Start> start(Side side, Bytes password, const Identities& identities, GuessPermit permit, Rng& rng) {
  if ((side != Side::A && side != Side::B && side != Side::symmetric) || password.empty()) return fail(Errc::misuse);
  PAKE_TRY(auto w, password_to_scalar(password));
  const auto wide = Secret<64>::make([&](MutableBytes out) { rng.fill(out); });
  auto x = group().reduce_scalar(wide.reveal(), std::endian::big);
  if (Group::is_zero(x)) return fail(Errc::unavailable);
  PAKE_TRY(const auto element, spake::blind(kGroup, x, w, blinding_point(side)));
  auto own = to_buffer(group().encode(element).reveal());
  declassify(own);

  const auto hash_of = [](Bytes bytes) { return crypto::hash(HashId::sha256, {bytes}); };
  Buffer identities_hash;
  const auto append = [&](Bytes identity) {
    const auto digest = hash_of(identity);
    identities_hash.insert(identities_hash.end(), digest.reveal().begin(), digest.reveal().end());
  };
  if (side == Side::symmetric) {
    append(identities.symmetric);
  } else {
    append(identities.A);
    append(identities.B);
  }
  Buffer message = {static_cast<std::uint8_t>(side)};
  message.insert(message.end(), own.begin(), own.end());
  return Start{.message = std::move(message),
               .next = AwaitingMessage(make_state(
                   AwaitingMessage::State{.side = side,
                                          .password_hash = Secret<32>::copy_of(hash_of(password).reveal().first<32>()),
                                          .identities_hash = std::move(identities_hash),
                                          .w = std::move(w),
                                          .x = std::move(x),
                                          .own = std::move(own),
                                          .permit = std::move(permit)}))};
}

//   A: K = x*(Y - w*N)    B: K = y*(X - w*M)    S: K = x*(peer - w*S)        no cofactor
Result<UnprovenKey> AwaitingMessage::finish_without_confirmation_peer_unproven(Bytes message) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  const auto peer_side = other(state->side);
  if (message.size() != kMessageSize || message[0] != static_cast<std::uint8_t>(peer_side))
    return fail(Errc::malformed);
  const auto peer = message.subspan(1);
  if (std::ranges::equal(peer, state->own)) return fail(Errc::malformed);
  PAKE_TRY(const auto element, group().decode(peer));
  PAKE_TRY(const auto opened, spake::unblind(kGroup, element, state->w, blinding_point(peer_side)));
  PAKE_TRY(const auto product, group().multiply(state->x, opened));
  const auto K = group().encode(product);
  const auto transcript = Transcript{.side = state->side,
                                     .password_hash = state->password_hash.reveal(),
                                     .identities_hash = state->identities_hash,
                                     .own = state->own,
                                     .peer = peer,
                                     .K = K.reveal()}
                              .encode();
  state->permit.spend();
  return UnprovenKey{.key = Key::copy_of(crypto::hash(HashId::sha256, {transcript.reveal()}).reveal().first<32>()),
                     .permit = std::move(state->permit)};
}

std::string pake_body(Bytes message) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string body = R"({"pake_v1": ")";
  for (const auto byte : message) {
    body += kDigits[byte >> 4U];
    body += kDigits[byte & 15U];
  }
  return body + R"("})";
}

Secret<32> verifier(const Key& key) { return hkdf(key, {as_bytes("wormhole:verifier")}); }

Buffer phase_purpose(std::string_view side, std::string_view phase) {
  return to_buffer(concat({as_bytes("wormhole:phase:"), crypto::hash(HashId::sha256, {as_bytes(side)}).reveal(),
                           crypto::hash(HashId::sha256, {as_bytes(phase)}).reveal()})
                       .reveal());
}

Secret<32> phase_key(const Key& key, std::string_view side, std::string_view phase) {
  return hkdf(key, {phase_purpose(side, phase)});
}

}  // namespace pake::spake2::wormhole
