#include "exchange.h"
#include "pake/internal/try.h"

namespace pake::cpace {

struct AwaitingResponse::State {
  OwnShare own;
};

Result<Initiation> initiate(const Inputs& inputs, Bytes ADa, Rng& rng) {
  PAKE_TRY(auto own, OwnShare::make(inputs, ADa, rng));
  auto Ya = own.Y;
  return Initiation{.Ya = std::move(Ya), .next = AwaitingResponse(make_state(AwaitingResponse::State{std::move(own)}))};
}

Result<AwaitingResponse::Finished> AwaitingResponse::finish(const Share& peer, Bytes Tb) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(const auto decoded, PeerShare::decode(state->own.suite, peer));
  PAKE_TRY(auto agreement, Agreement::reach(state->own, decoded, Side::A));
  PAKE_TRYV(agreement.verify(Tb));
  auto Ta = agreement.tag_to_send();
  return Finished{.Ta = std::move(Ta), .key = std::move(agreement.key)};
}

Result<UnprovenKey> AwaitingResponse::finish_without_confirmation_peer_unproven(const Share& peer) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(const auto decoded, PeerShare::decode(state->own.suite, peer));
  PAKE_TRY(auto agreement, Agreement::reach(state->own, decoded, Side::A));
  return std::move(agreement).unproven(GuessPermit(nullptr));
}

}  // namespace pake::cpace
