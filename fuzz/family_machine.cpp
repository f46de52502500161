// A machine of SPAKE2+, SPAKE2 (magic-wormhole's too), SRP-6a in each of its modes, or EAP-EKE between an honest peer
// and a network that delivers, changes and invents bytes: it ends done only with the key of the honest peer, and what
// machine.h promises holds at every step. (Of magic-wormhole's, which decides nothing by itself, the keys are compared
// for it.)
#include <fuzzer/FuzzedDataProvider.h>

#include <array>

#include "pake/proto/eap_eke/machine.h"
#include "pake/proto/machine.h"
#include "pake/proto/spake2/machine.h"
#include "pake/proto/spake2plus/machine.h"
#include "pake/proto/srp/machine.h"
#include "pake/testing/fixed_rng.h"
#include "require.h"

using namespace pake;

namespace {

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }
SecretBuffer secret(std::string_view text) { return SecretBuffer::copy_of(as_bytes(text)); }
SecretBuffer fake_secret() { return SecretBuffer::copy_of(Buffer(32, std::uint8_t{1})); }

struct Pair {
  std::unique_ptr<Machine> one, two;
  Buffer record;  // what the store has, for the one that asks
};

Pair spake2plus_pair(Rng& rng) {
  using namespace spake2plus;
  const auto suite = Suite::p256_sha256_hmac;
  const auto made = ProverSecret::from_pbkdf_output(suite, Buffer(80, std::uint8_t{1})).value();
  return {.one = prover_machine({.suite = suite}, made, rng),
          .two = verifier_machine({.suite = suite}, fake_secret(), permit(), rng),
          .record = to_buffer(StoredVerifierRecord{.record = made.verifier_record()}.encode().reveal())};
}

Pair spake2_pair(Rng& rng) {
  using namespace spake2;
  const auto config = [] {
    return Config{.w = PasswordScalar::from_mhf_output(Suite::p256_sha256_hmac, Buffer(40, std::uint8_t{1})).value()};
  };
  return {.one = initiator_machine(config(), rng), .two = responder_machine(config(), permit(), rng), .record = {}};
}

Pair wormhole_pair(Rng& rng) {
  using namespace spake2::wormhole;
  const auto machine = [&] {
    return side_machine({.side = Side::symmetric, .password = secret("P"), .identities = {}}, permit(), rng);
  };
  return {.one = machine(), .two = machine(), .record = {}};
}

/// Each mode that has a machine.
constexpr std::array kModes = {
    srp::Parameters{.group = srp::Group::bits_1024_weak},
    srp::Parameters{.mode = srp::Mode::pysrp, .group = srp::Group::bits_1024_weak, .hash = crypto::HashId::sha1},
    srp::Parameters{.mode = srp::Mode::pysrp_rfc5054, .group = srp::Group::bits_1536_weak},
    srp::Parameters{
        .mode = srp::Mode::no_username, .group = srp::Group::bits_1024_weak, .hash = crypto::HashId::sha384},
    srp::Parameters{.mode = srp::Mode::homekit, .group = srp::Group::bits_3072, .hash = crypto::HashId::sha512},
    srp::Parameters{
        .mode = srp::Mode::rfc2945_insecure, .group = srp::Group::bits_1024_weak, .hash = crypto::HashId::sha1},
    srp::Parameters{.mode = srp::Mode::proton, .group = srp::Group::bits_2048, .hash = crypto::HashId::sha512},
    srp::Parameters{.mode = srp::Mode::fast_srp_hap, .group = srp::Group::bits_3072, .hash = crypto::HashId::sha512},
    srp::Parameters{.mode = srp::Mode::secure_remote_password, .group = srp::Group::bits_2048},
};

Pair srp_pair(std::size_t mode, Rng& rng) {
  using namespace srp;
  const auto& parameters = kModes.at(mode % kModes.size());
  const Buffer s(kProtonSaltSize, std::uint8_t{1});
  return {.one = client_machine(parameters, {'I'}, secret("P"), rng),
          .two = server_machine(parameters, fake_secret(), permit(), rng),
          .record = to_buffer(Verifier::make(parameters, as_bytes("I"), as_bytes("P"), s)->encode().reveal())};
}

Pair eap_eke_pair(Rng& rng) {
  using namespace eap_eke;
  const Config config = {.proposals = {{.group = Group::eke_2_weak}}, .identity = {.value = {'x'}}};
  return {.one = peer_machine(config, secret("P"), permit(), rng),
          .two = server_machine(config, 0, fake_secret(), permit(), rng),
          .record = {'P'}};
}

/// magic-wormhole's, if it is one that wants a decision.
spake2::wormhole::SideMachine* undecided(Machine& machine) {
  return machine.want() == Want::decision ? dynamic_cast<spake2::wormhole::SideMachine*>(&machine) : nullptr;
}

void look_up(Machine& machine, const Buffer& record) {
  while (machine.want() == Want::decision && undecided(machine) == nullptr)
    static_cast<void>(machine.provide_record(record));
}

/// The honest peer, which hears every word of the machine and is heard through the network.
class Peer {
 public:
  Peer(Machine& machine, const Buffer& record) : machine_(machine), record_(record) {}

  void hear(const Buffer& message) { heard_.insert(heard_.end(), message.begin(), message.end()); }
  /// What it says next, perhaps nothing.
  [[nodiscard]] Buffer say() {
    while (machine_.want() == Want::receive && !heard_.empty()) {
      const auto consumed = machine_.receive(heard_, Arrived::more_may_come);
      if (!consumed || *consumed == 0) break;
      heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(*consumed));
      look_up(machine_, record_);
    }
    return machine_.want() == Want::send ? *machine_.take_message() : Buffer();
  }
  /// Whether this key is the peer's, which is not proven.
  [[nodiscard]] bool has(const spake2::wormhole::Key& key) {
    const auto* const side = undecided(machine_);
    return side != nullptr && ct_equal(side->unproven_key()->reveal(), key.reveal());
  }
  [[nodiscard]] SessionKey key() {
    if (auto* const side = undecided(machine_)) fuzz::require(side->confirm().has_value());
    return machine_.take_session_key().value();
  }

 private:
  Machine& machine_;
  const Buffer& record_;
  Buffer heard_;
};

void talk(Machine& machine, Peer peer, const Pair& pair, FuzzedDataProvider& input) {
  const auto& record = pair.record;
  Buffer arrived;
  for (;;) {
    fuzz::require(machine.error().has_value() == (machine.want() == Want::failed));
    look_up(machine, record);
    if (auto* const side = undecided(machine)) {
      static_cast<void>(peer.say());
      if (peer.has(*side->unproven_key()))
        fuzz::require(side->confirm().has_value());
      else
        fuzz::require(side->refuse().error() == Errc::auth_failed);
      continue;
    }
    if (machine.want() == Want::failed) return fuzz::require(!machine.take_session_key() && !machine.take_message());
    if (machine.want() == Want::send) {
      peer.hear(*machine.take_message());
      continue;
    }
    if (machine.want() == Want::done) {
      static_cast<void>(peer.say());
      const auto key = machine.take_session_key();
      fuzz::require(key.has_value());
      fuzz::require(ct_equal(key->reveal(), peer.key().reveal()));
      return fuzz::require(!machine.take_session_key());
    }
    if (input.remaining_bytes() == 0) return;
    const auto invented = input.ConsumeRandomLengthString(40);
    auto piece = input.ConsumeIntegral<std::uint8_t>() % 4 != 0 ? peer.say() : to_buffer(as_bytes(invented));
    if (!piece.empty() && input.ConsumeIntegral<std::uint8_t>() % 4 == 0)
      piece.at(input.ConsumeIntegralInRange<std::size_t>(0, piece.size() - 1)) ^= input.ConsumeIntegral<std::uint8_t>();
    arrived.insert(arrived.end(), piece.begin(), piece.end());
    const auto [at_least, at_most, silence_ends] = machine.incoming();
    fuzz::require(at_least <= at_most && !silence_ends);
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
  testing::SeededRng rng(size);
  const auto which = input.ConsumeIntegral<std::uint8_t>();
  const auto pair = which % 5 == 0   ? spake2plus_pair(rng)
                    : which % 5 == 1 ? spake2_pair(rng)
                    : which % 5 == 2 ? srp_pair(which / 5, rng)
                    : which % 5 == 3 ? eap_eke_pair(rng)
                                     : wormhole_pair(rng);
  if (input.ConsumeBool())
    talk(*pair.one, Peer(*pair.two, pair.record), pair, input);
  else
    talk(*pair.two, Peer(*pair.one, pair.record), pair, input);
  return 0;
}
