#include "exchange.h"
#include "pake/internal/try.h"

namespace pake::cpace {

struct AwaitingShare::State {
  OwnShare own;
  GuessPermit permit;
};

Result<SymmetricStart> start_symmetric(const Inputs& inputs, GuessPermit permit, Bytes AD, Rng& rng) {
  PAKE_TRY(auto own, OwnShare::make(inputs, AD, rng));
  auto Y = own.Y;
  return SymmetricStart{
      .Y = std::move(Y),
      .next = AwaitingShare(make_state(AwaitingShare::State{.own = std::move(own), .permit = std::move(permit)}))};
}

Result<AwaitingShare::Confirmation> AwaitingShare::confirm(const Share& peer) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(const auto decoded, PeerShare::decode(state->own.suite, peer));
  PAKE_TRY(auto agreement, Agreement::reach(state->own, decoded, Side::symmetric));
  state->permit.spend();
  auto tag = agreement.tag_to_send();
  return Confirmation{.tag = std::move(tag),
                      .next = AwaitingTag(make_state(
                          AwaitingTag::State{.agreement = std::move(agreement), .permit = std::move(state->permit)}))};
}

Result<UnprovenKey> AwaitingShare::finish_without_confirmation_peer_unproven(const Share& peer) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(const auto decoded, PeerShare::decode(state->own.suite, peer));
  PAKE_TRY(auto agreement, Agreement::reach(state->own, decoded, Side::symmetric));
  state->permit.spend();
  return std::move(agreement).unproven(std::move(state->permit));
}

}  // namespace pake::cpace
