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
  SecretBuffer M2;  // empty: there will be none
};

namespace {

/// What follows from the server's answer, before either proof.
struct Agreement {
  Residue B;
  Keys keys;

  [[nodiscard]] static Result<Agreement> reach(const Parameters& parameters, Bytes I, Bytes P, Bytes a,
                                               const Residue& A, Bytes s, Bytes B) {
    PAKE_TRY(auto received, decode_share(parameters, B));
    if (s.size() > kMaxSaltSize) return fail(Errc::malformed);
    const auto u = compute_u(parameters, A.reveal(), received.reveal());
    if (ct_is_zero(u.reveal())) return fail(Errc::malformed);
    const auto x = compute_x(parameters, I, P, s);
    const auto S = client_S(parameters, received, x.reveal(), a, u.reveal());
    return Agreement{.B = std::move(received), .keys = derive_keys(parameters, S, u.reveal())};
  }
};

AwaitingChallenge::Proof proof_of(Keys keys, const SecretBuffer& M1, SecretBuffer M2) {
  auto sent = to_buffer(M1.reveal());
  declassify(sent);
  return {.M1 = std::move(sent),
          .next = AwaitingServerProof(
              make_state(AwaitingServerProof::State{.keys = std::move(keys), .M2 = std::move(M2)}))};
}

bool is_cognito(const Parameters& parameters) noexcept { return convention(parameters.mode).scheme == Scheme::cognito; }

}  // namespace

Result<ClientStart> start_with(const Parameters& parameters, Bytes I, Bytes P, SecretBuffer a) {
  if (!is_valid(parameters) || P.empty() || I.size() > kMaxNameSize || std::ranges::find(I, ':') != I.end())
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
  if (!state || is_cognito(state->parameters)) return fail(Errc::misuse);
  const auto& [parameters, I, P, a, A] = *state;
  PAKE_TRY(auto agreed, Agreement::reach(parameters, I, P.reveal(), a.reveal(), A, s, B));
  const auto K = proven(parameters, agreed.keys);
  const auto M1 = compute_M1(parameters, I, s, A.reveal(), agreed.B.reveal(), K);
  auto M2 = compute_M2(parameters, A.reveal(), M1.reveal(), K);
  return proof_of(std::move(agreed.keys), M1, std::move(M2));
}

Result<AwaitingChallenge::Proof> AwaitingChallenge::prove(Bytes s, Bytes B, const Claim& claim) && {
  const auto state = std::move(state_);
  if (!state || !is_cognito(state->parameters)) return fail(Errc::misuse);
  const auto& [parameters, I, P, a, A] = *state;
  PAKE_TRY(auto agreed, Agreement::reach(parameters, I, P.reveal(), a.reveal(), A, s, B));
  const auto M1 = compute_claim(parameters, I, claim, agreed.keys.K.reveal());
  return proof_of(std::move(agreed.keys), M1, {});
}

Result<Keys> AwaitingServerProof::finish(Bytes M2) && {
  const auto state = std::move(state_);
  if (!state || state->M2.empty()) return fail(Errc::misuse);
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
