#include "pake/proto/cpace/machine.h"

#include <algorithm>
#include <expected>
#include <utility>
#include <variant>

#include "cpace/exchange.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/cpace/cpace.h"

namespace pake::cpace {
namespace {

/// B before A's message.
struct AwaitingInitiation {
  Config config;
  GuessPermit permit;
  Rng& rng;
};
using State = std::variant<std::monostate, AwaitingResponse, AwaitingInitiation, AwaitingShare, AwaitingTag>;

Inputs inputs_of(const Config& config) {
  return {.suite = config.suite, .PRS = config.PRS.reveal(), .CI = config.CI, .sid = config.sid};
}

class Run final : public CPaceMachine {
 public:
  /// Waits for the peer's share, after sending `outgoing` if this side may begin.
  Run(Suite suite, std::optional<Buffer> expected_AD, State state, std::optional<Buffer> outgoing)
      : suite_(suite), expected_AD_(std::move(expected_AD)), state_(std::move(state)), outgoing_(std::move(outgoing)) {}
  Run(Suite suite, Errc error) : suite_(suite), error_(error) {}

  [[nodiscard]] Want want() const noexcept override {
    if (error_) return Want::failed;
    if (outgoing_) return Want::send;
    return std::holds_alternative<std::monostate>(state_) ? Want::done : Want::receive;
  }

  [[nodiscard]] Result<Buffer> take_message() override {
    if (want() != Want::send) return misuse();
    return *std::exchange(outgoing_, std::nullopt);
  }

  [[nodiscard]] Incoming incoming() const noexcept override {
    if (want() != Want::receive) return {};
    const auto tag = tag_behind_share();
    if (awaits_tag()) return {.at_least = tag_size(suite_), .at_most = tag_size(suite_), .silence_ends = false};
    return {.at_least = min_message_size(suite_) + tag,
            .at_most = max_message_size(suite_, max_AD()) + tag,
            .silence_ends = false};
  }

  [[nodiscard]] Result<std::size_t> receive(Bytes bytes, Arrived) override {
    if (want() != Want::receive) return misuse();
    auto consumed = awaits_tag() ? receive_tag(bytes) : receive_share(bytes);
    if (!consumed) end(consumed.error());
    return consumed;
  }

  // There are no jobs and no records here: whoever hands one in has mixed up two runs.
  [[nodiscard]] Status provide_record(std::optional<Bytes>) override { return misuse(); }
  [[nodiscard]] Result<std::unique_ptr<Job>> take_job() override { return misuse(); }
  [[nodiscard]] Status resume(std::unique_ptr<Job>) override { return misuse(); }

  [[nodiscard]] std::optional<Errc> error() const noexcept override { return error_; }

  [[nodiscard]] Result<SessionKey> take_session_key() override {
    if (want() != Want::done || session_key_.empty()) return fail(Errc::misuse);
    return std::move(session_key_);
  }

  [[nodiscard]] Bytes received_AD() const noexcept override {
    return want() == Want::done ? Bytes(received_AD_) : Bytes();
  }

 private:
  /// For good.
  void end(Errc error) {
    error_ = error;
    state_ = std::monostate();
    outgoing_.reset();
    session_key_ = {};
  }
  /// A call out of turn ends the run; one that is over stays as it ended.
  std::unexpected<Errc> misuse() {
    if (want() != Want::done && want() != Want::failed) end(Errc::misuse);
    return fail(Errc::misuse);
  }
  [[nodiscard]] bool awaits_tag() const noexcept { return std::holds_alternative<AwaitingTag>(state_); }
  [[nodiscard]] std::size_t max_AD() const noexcept { return expected_AD_ ? expected_AD_->size() : kMaxADSize; }
  /// B's tag travels with its share.
  [[nodiscard]] std::size_t tag_behind_share() const noexcept {
    return std::holds_alternative<AwaitingResponse>(state_) ? tag_size(suite_) : 0;
  }

  Result<std::size_t> receive_share(Bytes bytes) {
    PAKE_TRY(const auto leading, decode_leading(suite_, bytes, max_AD()));
    if (!leading || bytes.size() - leading->size < tag_behind_share()) return 0;
    if (expected_AD_ && !std::ranges::equal(leading->share.AD, *expected_AD_)) return fail(Errc::auth_failed);
    const auto tag = bytes.subspan(leading->size, tag_behind_share());
    auto state = std::exchange(state_, std::monostate());
    PAKE_TRYV(std::visit([&](auto& waiting) { return advance(waiting, leading->share, tag); }, state));
    return leading->size + tag.size();
  }

  Result<std::size_t> receive_tag(Bytes bytes) {
    if (bytes.size() < tag_size(suite_)) return 0;
    auto state = std::exchange(state_, std::monostate());
    PAKE_TRY(const auto key, std::get<AwaitingTag>(std::move(state)).finish(bytes.first(tag_size(suite_))));
    PAKE_TRYV(keep(key));
    return tag_size(suite_);
  }

  Status advance(AwaitingResponse& waiting, const Share& peer, Bytes tag) {
    PAKE_TRY(auto finished, std::move(waiting).finish(peer, tag));
    outgoing_ = std::move(finished.Ta);
    return keep(finished.key);
  }
  Status advance(AwaitingInitiation& waiting, const Share& peer, Bytes) {
    auto& [config, permit, rng] = waiting;
    PAKE_TRY(auto response, respond(inputs_of(config), std::move(permit), peer, config.AD, rng));
    outgoing_ = Writer().put(encode({.Y = response.Yb, .AD = config.AD})).put(response.Tb).take();
    state_ = std::move(response.next);
    return {};
  }
  Status advance(AwaitingShare& waiting, const Share& peer, Bytes) {
    PAKE_TRY(auto confirmation, std::move(waiting).confirm(peer));
    outgoing_ = std::move(confirmation.tag);
    state_ = std::move(confirmation.next);
    return {};
  }
  Status advance(auto&, const Share&, Bytes) { return fail(Errc::misuse); }  // no state that waits for a share

  Status keep(const SharedKey& key) {
    PAKE_TRY(const auto session_key, key.session_key("pake cpace session key", tag_size(suite_)));
    session_key_ = SessionKey::copy_of(session_key.reveal());
    received_AD_ = to_buffer(key.received_AD());
    return {};
  }

  Suite suite_;
  std::optional<Buffer> expected_AD_;
  State state_;
  std::optional<Buffer> outgoing_;
  SessionKey session_key_;
  Buffer received_AD_;
  std::optional<Errc> error_;
};

}  // namespace

// The steps take an empty PRS, as the draft does; for a program that starts a run it is a mistake.
std::unique_ptr<CPaceMachine> initiator_machine(const Config& config, Rng& rng) {
  if (config.PRS.reveal().empty()) return std::make_unique<Run>(config.suite, Errc::misuse);
  auto initiation = initiate(inputs_of(config), config.AD, rng);
  if (!initiation) return std::make_unique<Run>(config.suite, initiation.error());
  return std::make_unique<Run>(config.suite, config.expected_AD, std::move(initiation->next),
                               encode({.Y = initiation->Ya, .AD = config.AD}));
}

std::unique_ptr<CPaceMachine> responder_machine(Config config, GuessPermit permit, Rng& rng) {
  const auto suite = config.suite;
  if (config.AD.size() > kMaxADSize || config.PRS.reveal().empty() || !check(inputs_of(config)))
    return std::make_unique<Run>(suite, Errc::misuse);
  auto expected_AD = config.expected_AD;
  return std::make_unique<Run>(suite, std::move(expected_AD),
                               AwaitingInitiation{std::move(config), std::move(permit), rng}, std::nullopt);
}

std::unique_ptr<CPaceMachine> symmetric_machine(const Config& config, GuessPermit permit, Rng& rng) {
  // With two empty ADs nothing tells the sides apart, and a share that comes back would be taken for the peer's.
  if (config.PRS.reveal().empty() || config.AD.empty()) return std::make_unique<Run>(config.suite, Errc::misuse);
  auto start = start_symmetric(inputs_of(config), std::move(permit), config.AD, rng);
  if (!start) return std::make_unique<Run>(config.suite, start.error());
  return std::make_unique<Run>(config.suite, config.expected_AD, std::move(start->next),
                               encode({.Y = start->Y, .AD = config.AD}));
}

}  // namespace pake::cpace
