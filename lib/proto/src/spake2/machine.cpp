#include "pake/proto/spake2/machine.h"

#include <utility>

#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "step_machine.h"

namespace pake::spake2 {
namespace {

Inputs inputs_of(const Config& config) { return {.A = config.A, .B = config.B, .AAD = config.AAD}; }

ThenDone done_with(const SharedKey& Ke) { return {.key = SessionKey::copy_of(Ke.reveal())}; }

ThenReceive receive(std::size_t size, std::move_only_function<Result<Then>(Bytes)> step) {
  return {.at_least = size, .at_most = size, .size_of = {}, .step = std::move(step)};
}

Result<Then> begin(const Config& config, Rng& rng) {
  const auto& of = parameters(config.w.suite());
  PAKE_TRY(auto initiation, initiate(inputs_of(config), config.w, rng));
  auto take_answer = [next = std::move(initiation.next),
                      share_size = of.share_size](Bytes answer) mutable -> Result<Then> {
    PAKE_TRY(auto finished, std::move(next).finish(answer.first(share_size), answer.subspan(share_size)));
    return Then{.send = std::move(finished.cA), .next = done_with(finished.Ke)};
  };
  return Then{.send = std::move(initiation.pA), .next = receive(of.share_size + of.tag_size, std::move(take_answer))};
}

}  // namespace

std::unique_ptr<Machine> initiator_machine(const Config& config, Rng& rng) {
  return std::make_unique<StepMachine<>>(begin(config, rng));
}

std::unique_ptr<Machine> responder_machine(Config config, GuessPermit permit, Rng& rng) {
  const auto& of = parameters(config.w.suite());
  auto answer = [config = std::move(config), permit = std::move(permit), &rng](Bytes pA) mutable -> Result<Then> {
    PAKE_TRY(auto response, respond(inputs_of(config), config.w, std::move(permit), pA, rng));
    auto finish = [next = std::move(response.next)](Bytes cA) mutable -> Result<Then> {
      PAKE_TRY(const auto Ke, std::move(next).finish(cA));
      return Then{.send = std::nullopt, .next = done_with(Ke)};
    };
    return Then{.send = Writer().put(response.pB).put(response.cB).take(),
                .next = receive(response.cB.size(), std::move(finish))};
  };
  return std::make_unique<StepMachine<>>(Then{.send = std::nullopt, .next = receive(of.share_size, std::move(answer))});
}

}  // namespace pake::spake2
