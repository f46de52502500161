#include "pake/proto/spake2plus/machine.h"

#include <functional>
#include <utility>

#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/verifier.h"
#include "step_machine.h"

namespace pake::spake2plus {
namespace {

Inputs inputs_of(const Config& config) {
  return {.Context = config.Context, .identities = {.prover = config.idProver, .verifier = config.idVerifier}};
}

ThenDone done_with(const SharedKey& K_shared) { return {.key = SessionKey::copy_of(K_shared.reveal())}; }

ThenReceive receive(std::size_t size, std::move_only_function<Result<Then>(Bytes)> step) {
  return {.at_least = size, .at_most = size, .size_of = {}, .step = std::move(step)};
}

Result<Then> begin(const Config& config, const ProverSecret& secret, Rng& rng) {
  if (secret.suite() != config.suite) return fail(Errc::misuse);
  PAKE_TRY(auto started, start(inputs_of(config), secret, rng));
  const auto& of = parameters(config.suite);
  auto take_answer = [next = std::move(started.next),
                      share_size = of.share_size](Bytes answer) mutable -> Result<Then> {
    PAKE_TRY(auto finished, std::move(next).finish(answer.first(share_size), answer.subspan(share_size)));
    return Then{.send = std::move(finished.confirmP), .next = done_with(finished.K_shared)};
  };
  return Then{.send = std::move(started.shareP), .next = receive(of.share_size + of.tag_size, std::move(take_answer))};
}

/// The record to answer from. The fake one is made in every run, so that the work does not show which it is.
Result<VerifierRecord> choose(const Config& config, Bytes fake_secret, std::optional<Bytes> stored) {
  PAKE_TRY(auto fake, VerifierRecord::fake(config.suite, fake_secret, config.idProver));
  const auto encoded = StoredVerifierRecord{.record = std::move(fake)}.encode();
  auto chosen = StoredVerifierRecord::decode(stored.value_or(encoded.reveal()));
  if (!chosen || chosen->record.suite() != config.suite) return fail(Errc::unavailable);
  return std::move(chosen->record);
}

}  // namespace

std::unique_ptr<Machine> prover_machine(Config config, crypto::KsfParameters pbkdf, SecretBuffer password, Rng& rng) {
  if (!decode_suite(static_cast<std::uint8_t>(config.suite)) || password.empty())
    return std::make_unique<StepMachine<>>(fail(Errc::misuse));
  using Continue = std::move_only_function<Result<Then>()>;
  // By pointer: GCC 12 warns of a variant that moves with the lambda.
  auto stretch = [config = std::move(config), pbkdf = std::make_unique<crypto::KsfParameters>(std::move(pbkdf)),
                  password = std::move(password), &rng]() mutable -> Result<Continue> {
    PAKE_TRY(auto secret, ProverSecret::from_password(config.suite, *pbkdf, password.reveal(),
                                                      {.prover = config.idProver, .verifier = config.idVerifier}));
    return Continue(
        [config = std::move(config), secret = std::move(secret), &rng] { return begin(config, secret, rng); });
  };
  return std::make_unique<StepMachine<>>(
      Then{.send = std::nullopt, .next = ThenStretch{.job = IssuedJob<Continue>(std::move(stretch))}});
}

std::unique_ptr<Machine> prover_machine(Config config, const ProverSecret& secret, Rng& rng) {
  return std::make_unique<StepMachine<>>(begin(config, secret, rng));
}

std::unique_ptr<Machine> verifier_machine(Config config, SecretBuffer fake_secret, GuessPermit permit, Rng& rng) {
  if (!decode_suite(static_cast<std::uint8_t>(config.suite)) ||
      !VerifierRecord::fake(config.suite, fake_secret.reveal(), {}))
    return std::make_unique<StepMachine<>>(fail(Errc::misuse));
  const auto share_size = parameters(config.suite).share_size;
  auto take_share = [config = std::move(config), fake_secret = std::move(fake_secret), permit = std::move(permit),
                     &rng](Bytes message) mutable -> Result<Then> {
    auto answer = [config = std::move(config), fake_secret = std::move(fake_secret), permit = std::move(permit), &rng,
                   shareP = to_buffer(message)](std::optional<Bytes> stored) mutable -> Result<Then> {
      PAKE_TRY(const auto record, choose(config, fake_secret.reveal(), stored));
      PAKE_TRY(auto response, respond(inputs_of(config), record, std::move(permit), shareP, rng));
      auto finish = [next = std::move(response.next)](Bytes confirmP) mutable -> Result<Then> {
        PAKE_TRY(const auto K_shared, std::move(next).finish(confirmP));
        return Then{.send = std::nullopt, .next = done_with(K_shared)};
      };
      return Then{.send = Writer().put(response.shareV).put(response.confirmV).take(),
                  .next = receive(parameters(config.suite).tag_size, std::move(finish))};
    };
    return Then{.send = std::nullopt, .next = ThenRecord{.step = std::move(answer)}};
  };
  return std::make_unique<StepMachine<>>(
      Then{.send = std::nullopt, .next = receive(share_size, std::move(take_share))});
}

}  // namespace pake::spake2plus
