#include "key_schedule.h"
#include "pake/internal/try.h"
#include "pake/proto/srp/srp.h"

namespace pake::srp {
namespace {

constexpr std::size_t kExponentSize = 32;

SecretBuffer random_exponent(Rng& rng) {
  return SecretBuffer::make(kExponentSize, [&](MutableBytes out) { rng.fill(out); });
}

/// What a server knows once B is made.
struct Challenge {
  Parameters parameters;
  Buffer I, s;
  Residue v;
  SecretBuffer b;
  Residue B;

  [[nodiscard]] static Result<Challenge> make(const Verifier& verifier, Bytes I, SecretBuffer b) {
    if (ct_is_zero(b.reveal())) return fail(Errc::unavailable);
    const auto& parameters = verifier.parameters();
    PAKE_TRY(auto v, decode_share(parameters, verifier.v()));
    auto B = compute_B(parameters, v, b.reveal());
    declassify(B.reveal());
    if (B.is_zero()) return fail(Errc::unavailable);  // never seen
    return Challenge{.parameters = parameters,
                     .I = to_buffer(I),
                     .s = to_buffer(verifier.s()),
                     .v = std::move(v),
                     .b = std::move(b),
                     .B = std::move(B)};
  }
};

/// What follows from both shares, held back until M1 has verified.
struct Agreement {
  Parameters parameters;
  Buffer I;
  Keys keys;
  SecretBuffer M1, M2;  // empty in Cognito's mode, whose M1 takes a Claim

  [[nodiscard]] bool is_cognito() const noexcept { return convention(parameters.mode).scheme == Scheme::cognito; }

  [[nodiscard]] static Result<Agreement> reach(const Challenge& of, const Residue& A) {
    const auto& parameters = of.parameters;
    const auto u = compute_u(parameters, A.reveal(), of.B.reveal());
    if (ct_is_zero(u.reveal())) return fail(Errc::malformed);
    const auto S = server_S(parameters, A, of.v, u.reveal(), of.b.reveal());
    Agreement agreed = {
        .parameters = parameters, .I = of.I, .keys = derive_keys(parameters, S, u.reveal()), .M1 = {}, .M2 = {}};
    if (agreed.is_cognito()) return agreed;
    const auto K = proven(parameters, agreed.keys);
    agreed.M1 = compute_M1(parameters, of.I, of.s, A.reveal(), of.B.reveal(), K);
    agreed.M2 = compute_M2(parameters, A.reveal(), agreed.M1.reveal(), K);
    return agreed;
  }

  [[nodiscard]] Result<ServerFinished> finish(Bytes received, GuessPermit& permit) && {
    if (is_cognito()) return fail(Errc::misuse);
    return std::move(*this).verify(received, permit);
  }

  [[nodiscard]] Result<ServerFinished> finish(Bytes received, const Claim& claim, GuessPermit& permit) && {
    if (!is_cognito()) return fail(Errc::misuse);
    M1 = compute_claim(parameters, I, claim, keys.K.reveal());
    return std::move(*this).verify(received, permit);
  }

 private:
  [[nodiscard]] Result<ServerFinished> verify(Bytes received, GuessPermit& permit) && {
    if (received.size() != M1.size()) return fail(Errc::malformed);
    if (!ct_equal(received, M1.reveal())) return fail(Errc::auth_failed);
    permit.refund();
    auto sent = to_buffer(M2.reveal());
    declassify(sent);
    return ServerFinished{.M2 = std::move(sent), .keys = std::move(keys)};
  }
};

}  // namespace

struct AwaitingClientProof::State {
  Agreement agreement;
  GuessPermit permit;
};

struct AwaitingShareAndProof::State {
  Challenge challenge;
  GuessPermit permit;
};

Result<ServerResponse> respond_with(const Verifier& verifier, Bytes I, GuessPermit permit, Bytes A, SecretBuffer b) {
  PAKE_TRY(const auto received, decode_share(verifier.parameters(), A));
  PAKE_TRY(const auto challenge, Challenge::make(verifier, I, std::move(b)));
  PAKE_TRY(auto agreement, Agreement::reach(challenge, received));
  permit.spend();
  return ServerResponse{.s = to_buffer(verifier.s()),
                        .B = to_send(verifier.parameters(), challenge.B),
                        .next = AwaitingClientProof(make_state(AwaitingClientProof::State{
                            .agreement = std::move(agreement), .permit = std::move(permit)}))};
}

Result<ServerResponse> respond(const Verifier& verifier, Bytes I, GuessPermit permit, Bytes A, Rng& rng) {
  return respond_with(verifier, I, std::move(permit), A, random_exponent(rng));
}

Result<ServerFinished> AwaitingClientProof::finish(Bytes M1) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  return std::move(state->agreement).finish(M1, state->permit);
}

Result<ServerFinished> AwaitingClientProof::finish(Bytes M1, const Claim& claim) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  return std::move(state->agreement).finish(M1, claim, state->permit);
}

Result<AwaitingClientProof::Unproven> AwaitingClientProof::finish_without_confirmation_peer_unproven() && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  return Unproven{.keys = std::move(state->agreement.keys), .permit = std::move(state->permit)};
}

Result<ServerChallenge> challenge_with(const Verifier& verifier, Bytes I, GuessPermit permit, SecretBuffer b) {
  const auto scheme = convention(verifier.parameters().mode).scheme;
  if (scheme == Scheme::srp3 || scheme == Scheme::cognito) return fail(Errc::misuse);
  PAKE_TRY(auto challenge, Challenge::make(verifier, I, std::move(b)));
  permit.spend();
  auto B = to_send(verifier.parameters(), challenge.B);
  return ServerChallenge{.s = to_buffer(verifier.s()),
                         .B = std::move(B),
                         .next = AwaitingShareAndProof(make_state(AwaitingShareAndProof::State{
                             .challenge = std::move(challenge), .permit = std::move(permit)}))};
}

Result<ServerChallenge> challenge(const Verifier& verifier, Bytes I, GuessPermit permit, Rng& rng) {
  return challenge_with(verifier, I, std::move(permit), random_exponent(rng));
}

Result<ServerFinished> AwaitingShareAndProof::finish(Bytes A, Bytes M1) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(const auto received, decode_share(state->challenge.parameters, A));
  PAKE_TRY(auto agreement, Agreement::reach(state->challenge, received));
  return std::move(agreement).finish(M1, state->permit);
}

}  // namespace pake::srp
