#include "pake/proto/spake2plus/prover.h"

#include "key_schedule.h"
#include "pake/internal/try.h"

namespace pake::spake2plus {

struct AwaitingShareV::State {
  Suite suite;
  Buffer Context, idProver, idVerifier;
  crypto::Scalar w0, w1, x;
  Buffer shareP;

  //   Z = h*x*(Y - w0*N),  V = h*w1*(Y - w0*N)
  [[nodiscard]] Result<Agreement> reach(Bytes shareV) const {
    const auto group = parameters(suite).group;
    PAKE_TRY(const auto Y, spake::decode(group, shareV));
    PAKE_TRY(const auto opened, spake::unblind(group, Y, w0, spake::N(group)));
    const auto hx = spake::times_cofactor(group, x), hw1 = spake::times_cofactor(group, w1);
    std::array<crypto::Multiplication, 2> products = {
        {{.scalar = &hx, .element = &opened}, {.scalar = &hw1, .element = &opened}}};
    PAKE_TRYV(crypto::Group::get(group).multiply(products));
    return Agreement::reach({.suite = suite,
                             .Context = Context,
                             .idProver = idProver,
                             .idVerifier = idVerifier,
                             .shareP = shareP,
                             .shareV = shareV,
                             .Z = spake::encode(group, products[0].result).reveal(),
                             .V = spake::encode(group, products[1].result).reveal(),
                             .w0 = spake::encode_scalar(w0, group).reveal()});
  }
};

//   shareP = X = x*P + w0*M
Result<ProverStart> start(const Inputs& inputs, const ProverSecret& secret, Rng& rng) {
  const auto suite = secret.suite();
  const auto group = parameters(suite).group;
  const auto& w0 = Access::w0(secret);
  PAKE_TRY(auto x, crypto::Group::get(group).random_scalar(rng));
  PAKE_TRY(const auto X, spake::blind(group, x, w0, spake::M(group)));
  auto shareP = to_buffer(spake::encode(group, X).reveal());
  declassify(shareP);
  return ProverStart{.shareP = shareP,
                     .next = AwaitingShareV(
                         make_state(AwaitingShareV::State{.suite = suite,
                                                          .Context = to_buffer(inputs.Context),
                                                          .idProver = to_buffer(inputs.identities.prover),
                                                          .idVerifier = to_buffer(inputs.identities.verifier),
                                                          .w0 = crypto::Scalar::copy_of(w0.reveal()),
                                                          .w1 = crypto::Scalar::copy_of(Access::w1(secret).reveal()),
                                                          .x = std::move(x),
                                                          .shareP = shareP}))};
}

Result<AwaitingShareV::Finished> AwaitingShareV::finish(Bytes shareV, Bytes confirmV) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(auto agreement, state->reach(shareV));
  PAKE_TRYV(verify_tag(agreement.confirmV, confirmV));
  return Finished{.confirmP = tag_to_send(agreement.confirmP), .K_shared = std::move(agreement.K_shared)};
}

Result<SharedKey> AwaitingShareV::finish_without_confirmation_peer_unproven(Bytes shareV) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(auto agreement, state->reach(shareV));
  return std::move(agreement.K_shared);
}

}  // namespace pake::spake2plus
