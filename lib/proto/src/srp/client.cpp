#include <algorithm>

#include "key_schedule.h"
#include "pake/internal/try.h"
#include "pake/proto/srp/srp.h"

namespace pake::srp {

constexpr std::size_t kExponentSize = 32;

struct AwaitingChallenge::State {
  Parameters parameters;
  Buffer I;
  SecretBuffer P, a;
  Residue A;
};

struct AwaitingServerProof::State {
  Keys keys;
  Digest M2;
};

Result<ClientStart> start_with(const Parameters& parameters, Bytes I, Bytes P, SecretBuffer a) {
  if (!is_valid(parameters) || I.size() > kMaxNameSize || std::ranges::find(I, ':') != I.end())
    return fail(Errc::misuse);
  if (ct_is_zero(a.reveal())) return fail(Errc::unavailable);
  auto A = compute_A(parameters, a.reveal());
  auto sent = to_send(parameters, A);
  return ClientStart{.A = std::move(sent),
                     .next = AwaitingChallenge(make_state(AwaitingChallenge::State{.parameters = parameters,
                                                                                   .I = to_buffer(I),
                                                                                   .P = SecretBuffer::copy_of(P),
                                                                                   .a = std::move(a),
                                                                                   .A = std::move(A)}))};
}

Result<ClientStart> start(const Parameters& parameters, Bytes I, Bytes P, Rng& rng) {
  return start_with(parameters, I, P, SecretBuffer::make(kExponentSize, [&](MutableBytes out) { rng.fill(out); }));
}

Result<AwaitingChallenge::Proof> AwaitingChallenge::prove(Bytes s, Bytes B) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  const auto& [parameters, I, P, a, A] = *state;
  PAKE_TRY(const auto received, decode_share(parameters, B));
  if (s.size() > kMaxSaltSize) return fail(Errc::malformed);
  const auto u = compute_u(parameters, A.reveal(), received.reveal());
  if (ct_is_zero(u.reveal())) return fail(Errc::malformed);

  const auto x = compute_x(parameters, I, P.reveal(), s);
  const auto S = client_S(parameters, received, x.reveal(), a.reveal(), u.reveal());
  auto K = compute_K(parameters, S.reveal());
  const auto M1 = compute_M1(parameters, I, s, A.reveal(), received.reveal(), K.reveal());
  auto M2 = compute_M2(parameters, A.reveal(), M1.reveal(), K.reveal());
  auto sent = to_buffer(M1.reveal());
  declassify(sent);
  return Proof{
      .M1 = std::move(sent),
      .next = AwaitingServerProof(make_state(AwaitingServerProof::State{
          .keys = {.K = std::move(K), .premaster = SecretBuffer::copy_of(MIN(S.reveal()))}, .M2 = std::move(M2)}))};
}

Result<Keys> AwaitingServerProof::finish(Bytes M2) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  if (M2.size() != state->M2.size()) return fail(Errc::malformed);
  if (!ct_equal(M2, state->M2.reveal())) return fail(Errc::auth_failed);
  return std::move(state->keys);
}

Result<Keys> AwaitingServerProof::finish_without_confirmation_peer_unproven() && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  return std::move(state->keys);
}

}  // namespace pake::srp
