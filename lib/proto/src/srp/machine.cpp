#include "pake/proto/srp/machine.h"

#include <algorithm>
#include <utility>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "step_machine.h"

namespace pake::srp {
namespace {

constexpr std::size_t kMinFakeSecret = 32;  // Verifier::fake's

ThenDone done_with(const Keys& keys) { return {.key = SessionKey::copy_of(keys.K.reveal())}; }

ThenReceive receive(std::size_t size, std::move_only_function<Result<Then>(Bytes)> step) {
  return {.at_least = size, .at_most = size, .size_of = {}, .step = std::move(step)};
}

/// lp1(first) || lp2(share)
struct Pair {
  Bytes first, share;
};
Result<Pair> decode_pair(Bytes message) {
  Reader reader(message);
  PAKE_TRY(const auto first, reader.take_lp1());
  PAKE_TRY(const auto share, reader.take_lp2());
  PAKE_TRYV(reader.finish());
  return Pair{.first = first, .share = share};
}

/// The size of the pair with which `bytes` begin, 0 while its end is not known or not there.
Result<std::size_t> pair_size(Bytes bytes, std::size_t max_share) {
  const std::size_t first = bytes[0];
  if (bytes.size() < 1 + first + 2) return 0;
  const auto share = std::size_t{bytes[1 + first]} << 8U | bytes[1 + first + 1];
  if (share > max_share) return fail(Errc::malformed);
  const auto size = 1 + first + 2 + share;
  return bytes.size() < size ? 0 : size;
}

ThenReceive receive_pair(Group group, std::move_only_function<Result<Then>(Bytes)> step) {
  const auto max_share = group_size(group);
  return {.at_least = 3,
          .at_most = 1 + 255 + 2 + max_share,
          .size_of = [max_share](Bytes bytes) { return pair_size(bytes, max_share); },
          .step = std::move(step)};
}

Result<Then> begin(const Parameters& parameters, const Buffer& I, Bytes P, Rng& rng) {
  if (parameters.mode == Mode::cognito) return fail(Errc::misuse);
  PAKE_TRY(auto started, start(parameters, I, P, rng));
  auto take_challenge = [next = std::move(started.next), parameters](Bytes message) mutable -> Result<Then> {
    PAKE_TRY(const auto pair, decode_pair(message));
    PAKE_TRY(auto proof, std::move(next).prove(pair.first, pair.share));
    auto take_M2 = [awaiting = std::move(proof.next)](Bytes M2) mutable -> Result<Then> {
      PAKE_TRY(const auto keys, std::move(awaiting).finish(M2));
      return Then{.send = std::nullopt, .next = done_with(keys)};
    };
    return Then{.send = std::move(proof.M1), .next = receive(proof_size(parameters), std::move(take_M2))};
  };
  return Then{.send = Writer().put_lp1(I).put_lp2(started.A).take(),
              .next = receive_pair(parameters.group, std::move(take_challenge))};
}

/// What a server's steps share; the machine shows its name.
struct Server {
  Parameters parameters;
  SecretBuffer fake_secret;
  GuessPermit permit;
  Rng& rng;
  Buffer I = {};
  Buffer A = {};

  /// The verifier to answer from. The fake one is made in every run, so that the work does not show which it is.
  [[nodiscard]] Result<Verifier> choose(std::optional<Bytes> stored) const {
    PAKE_TRY(const auto fake, Verifier::fake(parameters, fake_secret.reveal(), I));
    const auto encoded = fake.encode();
    auto chosen = Verifier::decode(stored.value_or(encoded.reveal()), parameters.modulus);
    if (!chosen) return fail(Errc::unavailable);
    const auto& of = chosen->parameters();
    if (of.mode != parameters.mode || of.group != parameters.group || of.hash != parameters.hash)
      return fail(Errc::unavailable);
    return chosen;
  }
};

class ServerRun final : public StepMachine<ServerMachine> {
 public:
  ServerRun(std::shared_ptr<Server> server, Result<Then> first)
      : StepMachine(std::move(first)), server_(std::move(server)) {}
  [[nodiscard]] Bytes I() const noexcept override { return server_ ? Bytes(server_->I) : Bytes(); }

 private:
  std::shared_ptr<Server> server_;
};

Result<Then> answer(Server& server, std::optional<Bytes> stored) {
  PAKE_TRY(const auto verifier, server.choose(stored));
  PAKE_TRY(auto response, respond(verifier, server.I, std::move(server.permit), server.A, server.rng));
  auto take_M1 = [awaiting = std::move(response.next)](Bytes M1) mutable -> Result<Then> {
    PAKE_TRY(auto finished, std::move(awaiting).finish(M1));
    return Then{.send = std::move(finished.M2), .next = done_with(finished.keys)};
  };
  return Then{.send = Writer().put_lp1(response.s).put_lp2(response.B).take(),
              .next = receive(proof_size(server.parameters), std::move(take_M1))};
}

}  // namespace

std::unique_ptr<Machine> client_machine(const Parameters& parameters, Buffer I, const SecretBuffer& P, Rng& rng) {
  if (I.size() > kMaxNameSize) return std::make_unique<StepMachine<>>(fail(Errc::misuse));
  return std::make_unique<StepMachine<>>(begin(parameters, I, P.reveal(), rng));
}

std::unique_ptr<ServerMachine> server_machine(const Parameters& parameters, SecretBuffer fake_secret,
                                              GuessPermit permit, Rng& rng) {
  if (!is_valid(parameters) || parameters.mode == Mode::cognito || fake_secret.size() < kMinFakeSecret)
    return std::make_unique<ServerRun>(nullptr, fail(Errc::misuse));
  auto server = std::make_shared<Server>(
      Server{.parameters = parameters, .fake_secret = std::move(fake_secret), .permit = std::move(permit), .rng = rng});
  auto take_name = [server](Bytes message) -> Result<Then> {
    PAKE_TRY(const auto pair, decode_pair(message));
    if (std::ranges::find(pair.first, ':') != pair.first.end()) return fail(Errc::malformed);
    server->I = to_buffer(pair.first);
    server->A = to_buffer(pair.share);
    return Then{.send = std::nullopt,
                .next = ThenRecord{.step = [server](std::optional<Bytes> stored) { return answer(*server, stored); }}};
  };
  return std::make_unique<ServerRun>(
      server, Then{.send = std::nullopt, .next = receive_pair(parameters.group, std::move(take_name))});
}

}  // namespace pake::srp
