// A machine of any role and suite between an honest peer and a network that delivers, changes and invents bytes: it
// ends done only with the key of the honest peer, and what machine.h promises holds at every step.
#include "pake/proto/cpace/machine.h"

#include <fuzzer/FuzzedDataProvider.h>

#include "pake/testing/fixed_rng.h"
#include "require.h"

using namespace pake;
using namespace pake::cpace;

namespace {

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

Buffer bytes(const std::string& text) { return to_buffer(as_bytes(text)); }

Config config(Suite suite, std::string_view AD) {
  return {.suite = suite, .PRS = SecretBuffer::copy_of(as_bytes("1234-walnut-otter")), .AD = to_buffer(as_bytes(AD))};
}

/// The honest peer, which hears every word of the machine and is heard through the network.
class Peer {
 public:
  explicit Peer(std::unique_ptr<CPaceMachine> machine) : machine_(std::move(machine)) {}

  void hear(const Buffer& message) { heard_.insert(heard_.end(), message.begin(), message.end()); }

  /// What it says next, perhaps nothing.
  [[nodiscard]] Buffer say() {
    while (machine_->want() == Want::receive && !heard_.empty()) {
      const auto consumed = machine_->receive(heard_, Arrived::more_may_come);
      if (!consumed || *consumed == 0) break;  // the machine was lied to, and so its tag is wrong; or there is no more
      heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(*consumed));
    }
    return machine_->want() == Want::send ? *machine_->take_message() : Buffer();
  }
  [[nodiscard]] SessionKey key() { return machine_->take_session_key().value(); }

 private:
  std::unique_ptr<CPaceMachine> machine_;
  Buffer heard_;
};

void talk(CPaceMachine& machine, Peer peer, FuzzedDataProvider& input) {
  Buffer arrived;
  for (;;) {
    fuzz::require(machine.error().has_value() == (machine.want() == Want::failed));
    if (machine.want() == Want::failed) return fuzz::require(!machine.take_session_key() && !machine.take_message());
    if (machine.want() == Want::send) {
      peer.hear(*machine.take_message());
      continue;
    }
    if (machine.want() == Want::done) {
      fuzz::require(peer.say().empty());
      fuzz::require(ct_equal(machine.take_session_key()->reveal(), peer.key().reveal()));
      return fuzz::require(!machine.take_session_key());
    }
    if (input.remaining_bytes() == 0) return;
    auto piece = input.ConsumeBool() ? peer.say() : bytes(input.ConsumeRandomLengthString(300));
    if (!piece.empty() && input.ConsumeBool())
      piece.at(input.ConsumeIntegralInRange<std::size_t>(0, piece.size() - 1)) ^= input.ConsumeIntegral<std::uint8_t>();
    arrived.insert(arrived.end(), piece.begin(), piece.end());
    const auto [at_least, at_most, silence_ends] = machine.incoming();
    const auto consumed = machine.receive(arrived, Arrived::more_may_come);
    if (!consumed) continue;
    fuzz::require(*consumed <= arrived.size() && (*consumed == 0 || (*consumed >= at_least && *consumed <= at_most)));
    fuzz::require(*consumed != 0 || arrived.size() < at_most);
    arrived.erase(arrived.begin(), arrived.begin() + static_cast<std::ptrdiff_t>(*consumed));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto suite = static_cast<Suite>(input.ConsumeIntegralInRange(0, 4));
  auto ours = config(suite, "ours");
  if (input.ConsumeBool()) ours.expected_AD = to_buffer(as_bytes("theirs"));
  const auto theirs = config(suite, "theirs");
  testing::SeededRng rng(size), peer_rng(size + 1);
  switch (input.ConsumeIntegralInRange(0, 2)) {
    case 0:
      talk(*initiator_machine(ours, rng), Peer(responder_machine(config(suite, "theirs"), permit(), peer_rng)), input);
      break;
    case 1:
      talk(*responder_machine(std::move(ours), permit(), rng), Peer(initiator_machine(theirs, peer_rng)), input);
      break;
    default:
      talk(*symmetric_machine(ours, permit(), rng), Peer(symmetric_machine(theirs, permit(), peer_rng)), input);
  }
  return 0;
}
