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
  PAKE_TRY(const auto opened, spake::unblind(group, X, w0, spake::M(group)));
  PAKE_TRY(const auto y, crypto::Group::get(group).random_scalar(rng));
  PAKE_TRY(const auto Y, spake::blind(group, y, w0, spake::N(group)));
  const auto hy = spake::times_cofactor(group, y);
  std::array<crypto::Multiplication, 2> products = {
      {{.scalar = &hy, .element = &opened}, {.scalar = &hy, .element = &Access::L(record)}}};
  PAKE_TRYV(crypto::Group::get(group).multiply(products));

  auto shareV = to_buffer(spake::encode(group, Y).reveal());
  declassify(shareV);
  auto agreement = Agreement::reach({.suite = suite,
                                     .Context = inputs.Context,
                                     .idProver = inputs.identities.prover,
                                     .idVerifier = inputs.identities.verifier,
                                     .shareP = shareP,
                                     .shareV = shareV,
                                     .Z = spake::encode(group, products[0].result).reveal(),
                                     .V = spake::encode(group, products[1].result).reveal(),
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
