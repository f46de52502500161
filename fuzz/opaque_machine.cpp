// A machine of any role and suite between an honest peer and a network and a store that deliver, change and invent
// bytes: it ends done only with what the honest peer has, and what machine.h promises holds at every step. (P-384 and
// P-521 differ from P-256 in sizes alone, and are slow.)
#include "pake/proto/opaque/machine.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <map>

#include "pake/proto/opaque/server.h"
#include "pake/testing/fixed_rng.h"
#include "require.h"

using namespace pake;
using namespace pake::opaque;

namespace {

/// What a server of one suite has: keys of two epochs and the record of one user.
struct World {
  KeyRing ring{FakeKey()};
  Buffer record;
};

ClientConfig client(SuiteId suite) {
  return {.suite = suite,
          .password = SecretBuffer::copy_of(as_bytes("correct horse")),
          .ksf = crypto::IdentityWithoutAnyProtection{},
          .context = to_buffer(as_bytes("context")),
          .client_identity = to_buffer(as_bytes("alice"))};
}

ServerConfig server(SuiteId suite) {
  return {.suite = suite,
          .credential_identifier = to_buffer(as_bytes("1234")),
          .context = to_buffer(as_bytes("context")),
          .client_identity = to_buffer(as_bytes("alice"))};
}

/// Does what the machine wants of its own side. False if it waits for its peer, or has ended.
bool serve(Machine& machine, std::optional<Bytes> stored) {
  if (machine.want() == Want::decision) {
    const auto status = machine.provide_record(stored);
    fuzz::require(status.has_value() == (machine.want() != Want::failed));
    return true;
  }
  if (machine.want() != Want::ksf && machine.want() != Want::key_operation) return false;
  auto job = *machine.take_job();
  job->run();
  const auto status = machine.resume(std::move(job));
  fuzz::require(status.has_value() == (machine.want() != Want::failed));
  return true;
}

/// The honest peer, which hears every message of the machine and is heard through the network.
Buffer say(Machine& peer, const Buffer& heard, const World& world) {
  if (!heard.empty() && peer.want() == Want::receive) static_cast<void>(peer.receive(heard, Arrived::more_may_come));
  while (serve(peer, world.record)) {
  }
  return peer.want() == Want::send ? *peer.take_message() : Buffer();
}

World make_world(SuiteId suite) {
  testing::SeededRng rng(1);
  World world;
  for (const EpochNumber epoch : {1U, 2U})
    fuzz::require(world.ring.add(*StoredKeys::generate(suite, crypto::KsfProfile::small, epoch, rng)).has_value());
  const auto epoch = [&](EpochNumber number) {
    return RecordParameters{.epoch = number, .suite = suite, .ksf = crypto::KsfProfile::small};
  };
  fuzz::require(world.ring.activate(epoch(1)).has_value());
  const auto c = registration_client_machine(client(suite), rng);
  const auto s = registration_server_machine(server(suite), GuessPermit::uncounted_for_study(),
                                             crypto::KsfProfile::small, world.ring);
  say(*s, say(*c, say(*s, *c->take_message(), world), world), world);
  world.record = s->take_record()->encode();
  fuzz::require(world.ring.activate(epoch(2)).has_value());
  return world;
}

/// Final is final: after a call out of turn the job that is out finds nothing to go on with.
void misuse(Machine& machine, FuzzedDataProvider& input) {
  auto job = *machine.take_job();
  if (input.ConsumeBool()) job->run();
  switch (input.ConsumeIntegralInRange(0, 4)) {
    case 0:
      fuzz::require(!machine.resume(nullptr));
      break;
    case 1:
      fuzz::require(!machine.take_job());
      break;
    case 2:
      fuzz::require(!machine.take_message());
      break;
    case 3:
      fuzz::require(!machine.provide_record(std::nullopt));
      break;
    default:
      fuzz::require(!machine.receive({}, Arrived::more_may_come));
      break;
  }
  fuzz::require(machine.want() == Want::failed && machine.error() == Errc::misuse);
  job->run();
  fuzz::require(!machine.resume(std::move(job)) && machine.want() == Want::failed && !machine.take_session_key());
}

/// Drives `machine` until it ends or the input does; true when it is done.
bool talk(Machine& machine, Machine& peer, const World& world, FuzzedDataProvider& input) {
  Buffer heard, arrived;
  for (;;) {
    fuzz::require(machine.error().has_value() == (machine.want() == Want::failed));
    if (machine.want() == Want::done) return true;
    if (machine.want() == Want::failed) {
      fuzz::require(!machine.take_session_key() && !machine.take_message() && !machine.take_job());
      return false;
    }
    if (machine.want() == Want::send) {
      heard = *machine.take_message();
      continue;
    }
    if (machine.want() == Want::decision && input.ConsumeBool()) {
      const auto invented = input.ConsumeBytes<std::uint8_t>(300);
      serve(machine, input.ConsumeBool() ? std::optional<Bytes>(invented) : std::nullopt);
      continue;
    }
    const bool is_job_due = machine.want() == Want::ksf || machine.want() == Want::key_operation;
    if (is_job_due && input.ConsumeIntegralInRange(0, 7) == 0) {
      misuse(machine, input);
      continue;
    }
    if (serve(machine, world.record)) continue;
    if (input.remaining_bytes() == 0) return false;
    auto piece = input.ConsumeBool() ? say(peer, std::exchange(heard, {}), world)
                                     : to_buffer(as_bytes(input.ConsumeRandomLengthString(500)));
    if (!piece.empty() && input.ConsumeBool())
      piece.at(input.ConsumeIntegralInRange<std::size_t>(0, piece.size() - 1)) ^= input.ConsumeIntegral<std::uint8_t>();
    arrived.insert(arrived.end(), piece.begin(), piece.end());
    const auto size = machine.incoming().at_most;
    const auto consumed = machine.receive(arrived, Arrived::more_may_come);
    if (!consumed) continue;
    fuzz::require(*consumed == (arrived.size() < size ? 0 : size));
    arrived.erase(arrived.begin(), arrived.begin() + static_cast<std::ptrdiff_t>(*consumed));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::map<SuiteId, World> worlds;
  FuzzedDataProvider input(data, size);
  const auto suite = input.PickValueInArray({SuiteId::ristretto255, SuiteId::p256, SuiteId::ristretto255_curve25519});
  if (!worlds.contains(suite)) worlds.emplace(suite, make_world(suite));
  const auto& world = worlds.at(suite);
  testing::SeededRng rng(size), peer_rng(size + 1);
  const auto permit = [] { return GuessPermit::uncounted_for_study(); };
  switch (input.ConsumeIntegralInRange(0, 3)) {
    case 0: {
      const auto machine = registration_client_machine(client(suite), rng);
      const auto peer = registration_server_machine(server(suite), GuessPermit::uncounted_for_study(),
                                                    crypto::KsfProfile::small, world.ring);
      if (talk(*machine, *peer, world, input)) fuzz::require(machine->take_export_key()->size() == sizes(suite).Nh);
      break;
    }
    case 1: {
      const auto machine = registration_server_machine(server(suite), GuessPermit::uncounted_for_study(),
                                                       crypto::KsfProfile::small, world.ring);
      const auto peer = registration_client_machine(client(suite), peer_rng);
      if (talk(*machine, *peer, world, input)) fuzz::require(machine->take_record()->epoch == 2);
      break;
    }
    case 2: {
      const auto machine = login_client_machine(client(suite), rng);
      const auto peer = login_server_machine(server(suite), permit(), world.ring, peer_rng);
      if (!talk(*machine, *peer, world, input)) break;
      fuzz::require(machine->take_session_key()->size() == sizes(suite).Nh && !machine->take_session_key());
      fuzz::require(machine->take_export_key()->size() == sizes(suite).Nh);
      break;
    }
    default: {
      const auto machine = login_server_machine(server(suite), permit(), world.ring, rng);
      const auto peer = login_client_machine(client(suite), peer_rng);
      if (!talk(*machine, *peer, world, input)) break;
      fuzz::require(peer->want() == Want::done);
      fuzz::require(ct_equal(machine->take_session_key()->reveal(), peer->take_session_key()->reveal()));
    }
  }
  return 0;
}
