#include "pake/proto/spake2plus/verifier.h"

#include "key_schedule.h"
#include "pake/internal/try.h"

namespace pake::spake2plus {

struct AwaitingConfirmP::State {
  SharedKey K_shared;
  Key confirmP;
  GuessPermit permit;
};

//   shareV = Y = y*P + w0*N
//   Z = h*y*(X - w0*M),  V = h*y*L
Result<VerifierResponse> respond(const Inputs& inputs, const VerifierRecord& record, GuessPermit permit, Bytes shareP,
                                 Rng& rng) {
  const auto suite = record.suite();
  const auto group = parameters(suite).group;
  const auto& w0 = Access::w0(record);
  PAKE_TRY(const auto X, spake::decode(group, shareP));
  const auto& G = crypto::Group::get(group);
  PAKE_TRY(const auto y, G.random_scalar(rng));
  const auto hy = spake::times_cofactor(group, y);
  const auto minus_hy_w0 = G.negate_scalar(G.multiply_scalars(hy, w0));
  // In one batch: Z as hy*X - (hy*w0)*M. Neither y nor h is a multiple of the order, so it is the identity if and only
  // if X = w0*M.
  const std::array<crypto::SumTerm, 2> of_Y = {{{.scalar = &y}, {.scalar = &w0, .fixed = &spake::N(group).fixed}}};
  const std::array<crypto::SumTerm, 2> of_Z = {
      {{.scalar = &hy, .element = &X}, {.scalar = &minus_hy_w0, .fixed = &spake::M(group).fixed}}};
  const std::array<crypto::SumTerm, 1> of_V = {{{.scalar = &hy, .element = &Access::L(record)}}};
  std::array<crypto::Sum, 3> sums = {{{.terms = of_Y}, {.terms = of_Z}, {.terms = of_V}}};
  PAKE_TRYV(crypto::sum(group, sums));
  const auto& [Y, Z, V] = sums;

  auto shareV = to_buffer(spake::encode(group, Y.result).reveal());
  declassify(shareV);
  auto agreement = Agreement::reach({.suite = suite,
                                     .Context = inputs.Context,
                                     .idProver = inputs.identities.prover,
                                     .idVerifier = inputs.identities.verifier,
                                     .shareP = shareP,
                                     .shareV = shareV,
                                     .Z = spake::encode(group, Z.result).reveal(),
                                     .V = spake::encode(group, V.result).reveal(),
                                     .w0 = spake::encode_scalar(w0, group).reveal()});
  permit.spend();
  return VerifierResponse{
      .shareV = std::move(shareV),
      .confirmV = tag_to_send(agreement.confirmV),
      .next = AwaitingConfirmP(make_state(AwaitingConfirmP::State{.K_shared = std::move(agreement.K_shared),
                                                                  .confirmP = std::move(agreement.confirmP),
                                                                  .permit = std::move(permit)}))};
}

Result<SharedKey> AwaitingConfirmP::finish(Bytes confirmP) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRYV(verify_tag(state->confirmP, confirmP));
  state->permit.refund();
  return std::move(state->K_shared);
}

Result<UnprovenKey> AwaitingConfirmP::finish_without_confirmation_peer_unproven() && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  return UnprovenKey{.K_shared = std::move(state->K_shared), .permit = std::move(state->permit)};
}

}  // namespace pake::spake2plus
