#include "pake/proto/spake2/machine.h"

#include <memory>
#include <optional>
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

namespace wormhole {
namespace {

enum class Verdict : std::uint8_t { none, confirmed, refused };

/// What the run and its steps share.
struct Shared {
  std::optional<Key> key;
  Verdict verdict = Verdict::none;
};

Result<Then> begin(const Config& config, GuessPermit permit, Rng& rng, std::shared_ptr<Shared> shared) {
  PAKE_TRY(auto started, start(config.side, config.password.reveal(), config.identities, std::move(permit), rng));
  auto take_message = [next = std::move(started.next),
                       shared = std::move(shared)](Bytes message) mutable -> Result<Then> {
    PAKE_TRY(auto unproven, std::move(next).finish_without_confirmation_peer_unproven(message));
    shared->key = std::move(unproven.key);
    auto decide = [shared, permit = std::move(unproven.permit)](std::optional<Bytes>) mutable -> Result<Then> {
      const auto key = *std::exchange(shared->key, std::nullopt);
      if (shared->verdict == Verdict::none) return fail(Errc::misuse);
      if (shared->verdict == Verdict::refused) return fail(Errc::auth_failed);
      permit.refund();
      return Then{.send = std::nullopt, .next = ThenDone{.key = SessionKey::copy_of(key.reveal())}};
    };
    return Then{.send = std::nullopt, .next = ThenRecord{.step = std::move(decide)}};
  };
  return Then{.send = std::move(started.message), .next = receive(kMessageSize, std::move(take_message))};
}

class Run final : public StepMachine<SideMachine> {
 public:
  Run(const Config& config, GuessPermit permit, Rng& rng, const std::shared_ptr<Shared>& shared)
      : StepMachine(begin(config, std::move(permit), rng, shared)), shared_(shared) {}

  [[nodiscard]] Result<Key> unproven_key() const override {
    if (!shared_->key) return fail(Errc::misuse);
    return Key::copy_of(shared_->key->reveal());
  }
  [[nodiscard]] Status confirm() override { return decide(Verdict::confirmed); }
  [[nodiscard]] Status refuse() override { return decide(Verdict::refused); }

 private:
  [[nodiscard]] Status decide(Verdict verdict) {
    shared_->verdict = verdict;
    return provide_record(std::nullopt);
  }
  std::shared_ptr<Shared> shared_;
};

}  // namespace

std::unique_ptr<SideMachine> side_machine(const Config& config, GuessPermit permit, Rng& rng) {
  return std::make_unique<Run>(config, std::move(permit), rng, std::make_shared<Shared>());
}

}  // namespace wormhole

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
