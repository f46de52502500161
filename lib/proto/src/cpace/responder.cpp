#include "exchange.h"
#include "pake/internal/try.h"

namespace pake::cpace {

Result<Response> respond(const Inputs& inputs, GuessPermit permit, const Share& peer, Bytes ADb, Rng& rng) {
  PAKE_TRYV(check(inputs));
  PAKE_TRY(const auto decoded, PeerShare::decode(inputs.suite, peer));
  PAKE_TRY(auto own, OwnShare::make(inputs, ADb, rng));
  PAKE_TRY(auto agreement, Agreement::reach(own, decoded, Side::B));
  permit.spend();
  auto Tb = agreement.tag_to_send();
  return Response{.Yb = std::move(own.Y),
                  .Tb = std::move(Tb),
                  .next = AwaitingTag(
                      make_state(AwaitingTag::State{.agreement = std::move(agreement), .permit = std::move(permit)}))};
}

Result<UnprovenResponse> respond_without_confirmation_peer_unproven(const Inputs& inputs, GuessPermit permit,
                                                                    const Share& peer, Bytes ADb, Rng& rng) {
  PAKE_TRYV(check(inputs));
  PAKE_TRY(const auto decoded, PeerShare::decode(inputs.suite, peer));
  PAKE_TRY(auto own, OwnShare::make(inputs, ADb, rng));
  PAKE_TRY(auto agreement, Agreement::reach(own, decoded, Side::B));
  permit.spend();
  return UnprovenResponse{.Yb = std::move(own.Y), .key = std::move(agreement).unproven(std::move(permit))};
}

Result<SharedKey> AwaitingTag::finish(Bytes peer_tag) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRYV(state->agreement.verify(peer_tag));
  state->permit.refund();
  return std::move(state->agreement.key);
}

}  // namespace pake::cpace
