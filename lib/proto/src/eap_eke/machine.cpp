#include "pake/proto/eap_eke/machine.h"

#include <memory>
#include <utility>

#include "pake/crypto/hash.h"
#include "pake/internal/try.h"
#include "step_machine.h"

namespace pake::eap_eke {
namespace {

constexpr std::size_t kMinFakeSecret = 32;

/// What the steps leave for the machine's own questions.
struct Shared {
  Secret<64, EmskTag> emsk;
  bool has_emsk = false;
  Buffer other_identity;
  Buffer failure_packet;

  /// Keeps what a failed step wants sent, and gives its error.
  std::unexpected<Errc> failed(Failed of) {
    failure_packet = std::move(of.packet);
    return fail(of.error);
  }
  ThenDone done_with(Keys keys) {
    emsk = std::move(keys.EMSK);
    has_emsk = true;
    return {.key = SessionKey::copy_of(keys.MSK.reveal())};
  }
};

class Run final : public StepMachine<EapEkeMachine> {
 public:
  Run(std::shared_ptr<Shared> shared, Result<Then> first) : StepMachine(std::move(first)), shared_(std::move(shared)) {}

  [[nodiscard]] Result<Secret<64, EmskTag>> take_emsk() override {
    if (want() != Want::done || !std::exchange(shared_->has_emsk, false)) return fail(Errc::misuse);
    return std::move(shared_->emsk);
  }
  [[nodiscard]] Bytes other_identity() const noexcept override { return shared_->other_identity; }
  [[nodiscard]] Bytes failure_packet() const noexcept override {
    return want() == Want::failed ? Bytes(shared_->failure_packet) : Bytes();
  }

 private:
  std::shared_ptr<Shared> shared_;
};

ThenReceive receive_packet(std::move_only_function<Result<Then>(Bytes)> step) {
  return {.at_least = kHeaderSize, .at_most = kMaxPacketSize, .size_of = packet_size, .step = std::move(step)};
}

std::unique_ptr<EapEkeMachine> misuse() {
  return std::make_unique<Run>(std::make_shared<Shared>(), fail(Errc::misuse));
}

}  // namespace

std::unique_ptr<EapEkeMachine> server_machine(Config config, std::uint8_t identifier, SecretBuffer fake_secret,
                                              GuessPermit permit, Rng& rng) {
  auto started = start(std::move(config), identifier);
  if (!started || fake_secret.size() < kMinFakeSecret) return misuse();
  auto shared = std::make_shared<Shared>();

  auto take_id = [shared, &rng, awaiting = std::move(started->next), fake_secret = std::move(fake_secret),
                  permit = std::move(permit)](Bytes packet) mutable -> Result<Then> {
    auto identified = std::move(awaiting).receive(packet);
    if (!identified) return shared->failed(std::move(identified.error()));
    shared->other_identity = identified->peer.value;
    const auto fake =
        crypto::hmac(crypto::HashId::sha256, fake_secret.reveal(), {as_bytes("password"), identified->peer.value});

    auto commit = [shared, &rng, next = std::move(identified->next), permit = std::move(permit),
                   fake_password =
                       SecretBuffer::copy_of(fake.reveal())](std::optional<Bytes> password) mutable -> Result<Then> {
      auto committed = std::move(next).commit(password.value_or(fake_password.reveal()), std::move(permit), rng);
      if (!committed) return shared->failed(std::move(committed.error()));

      auto confirm = [shared, &rng,
                      next_step = std::move(committed->next)](Bytes commit_response) mutable -> Result<Then> {
        auto confirmed = std::move(next_step).receive(commit_response, rng);
        if (!confirmed) return shared->failed(std::move(confirmed.error()));

        auto finish = [shared, last_step = std::move(confirmed->next)](Bytes confirm_response) mutable -> Result<Then> {
          auto keys = std::move(last_step).receive(confirm_response);
          if (!keys) return shared->failed(std::move(keys.error()));
          return Then{.send = std::nullopt, .next = shared->done_with(std::move(*keys))};
        };
        return Then{.send = std::move(confirmed->packet), .next = receive_packet(std::move(finish))};
      };
      return Then{.send = std::move(committed->packet), .next = receive_packet(std::move(confirm))};
    };
    return Then{.send = std::nullopt, .next = ThenRecord{.step = std::move(commit)}};
  };
  return std::make_unique<Run>(shared,
                               Then{.send = std::move(started->packet), .next = receive_packet(std::move(take_id))});
}

std::unique_ptr<EapEkeMachine> peer_machine(Config config, const SecretBuffer& password, GuessPermit permit, Rng& rng) {
  auto made = AwaitingIdRequest::make(std::move(config), password.reveal());
  if (!made) return misuse();
  auto shared = std::make_shared<Shared>();

  auto take_id = [shared, &rng, awaiting = std::move(*made),
                  permit = std::move(permit)](Bytes packet) mutable -> Result<Then> {
    auto answer = std::move(awaiting).receive(packet);
    if (!answer) return shared->failed(std::move(answer.error()));
    shared->other_identity = answer->server.value;

    auto commit = [shared, &rng, awaiting = std::move(answer->next),
                   permit = std::move(permit)](Bytes commit_request) mutable -> Result<Then> {
      auto committed = std::move(awaiting).receive(commit_request, std::move(permit), rng);
      if (!committed) return shared->failed(std::move(committed.error()));

      auto finish = [shared, &rng,
                     last_step = std::move(committed->next)](Bytes confirm_request) mutable -> Result<Then> {
        auto finished = std::move(last_step).receive(confirm_request, rng);
        if (!finished) return shared->failed(std::move(finished.error()));
        return Then{.send = std::move(finished->packet), .next = shared->done_with(std::move(finished->keys))};
      };
      return Then{.send = std::move(committed->packet), .next = receive_packet(std::move(finish))};
    };
    return Then{.send = std::move(answer->packet), .next = receive_packet(std::move(commit))};
  };
  return std::make_unique<Run>(shared, Then{.send = std::nullopt, .next = receive_packet(std::move(take_id))});
}

}  // namespace pake::eap_eke
